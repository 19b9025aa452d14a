package iam

import (
	"fmt"
	"strings"
	"sync"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// serviceRolePath is where the roles are that belong to services.
const serviceRolePath = "/aws-service-role/"

// linkedService is a service that has a role of its own.
type linkedService struct {
	principal, role, policy, description string
	suffix                               bool // there may be several roles, each with a suffix
}

// linkedServices are those whose roles have to do with networks, instances and functions.
func linkedServices() []linkedService {
	return []linkedService{
		{principal: "autoscaling.amazonaws.com", role: "AWSServiceRoleForAutoScaling", policy: "AutoScalingServiceRolePolicy", suffix: true,
			description: "Default Service-Linked Role enables access to AWS Services and Resources used or managed by Auto Scaling"},
		{principal: "delivery.logs.amazonaws.com", role: "AWSServiceRoleForLogDelivery", policy: "AWSServiceRoleForLogDeliveryPolicy"},
		{principal: "elasticloadbalancing.amazonaws.com", role: "AWSServiceRoleForElasticLoadBalancing", policy: "AWSElasticLoadBalancingServiceRolePolicy",
			description: "Allows ELB to call AWS services on your behalf."},
		{principal: "ipam.amazonaws.com", role: "AWSServiceRoleForIPAM", policy: "AWSIPAMServiceRolePolicy"},
		{principal: "lambda.amazonaws.com", role: "AWSServiceRoleForLambda", policy: "AWSLambdaServiceRolePolicy"},
		{principal: "reachabilityanalyzer.networkinsights.amazonaws.com", role: "AWSServiceRoleForReachabilityAnalyzer", policy: "AWSReachabilityAnalyzerServiceRolePolicy"},
		{principal: "replicator.lambda.amazonaws.com", role: "AWSServiceRoleForLambdaReplicator", policy: "AWSLambdaReplicator"},
		{principal: "spot.amazonaws.com", role: "AWSServiceRoleForEC2Spot", policy: "AWSEC2SpotServiceRolePolicy"},
		{principal: "transitgateway.amazonaws.com", role: "AWSServiceRoleForVPCTransitGateway", policy: "AWSVPCTransitGatewayServiceRolePolicy"},
	}
}

func findLinkedService(principal string) (linkedService, bool) {
	for _, l := range linkedServices() {
		if l.principal == principal {
			return l, true
		}
	}
	return linkedService{}, false
}

func (s *Service) serviceLinkedRoleOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateServiceLinkedRole", s.createServiceLinkedRole,
			service.On(func(r state.Reader, in *CreateServiceLinkedRoleInput) []string {
				path, name := linkedName(value(in.AWSServiceName, ""), value(in.CustomSuffix, ""))
				return []string{arn(r, "role", path, name)}
			}),
			service.Conditions(func(_ state.Reader, in *CreateServiceLinkedRoleInput, _ string) map[string][]string {
				return map[string][]string{"iam:awsservicename": {value(in.AWSServiceName, "")}}
			})),
		service.Update("DeleteServiceLinkedRole", s.deleteServiceLinkedRole,
			onRole(func(in *DeleteServiceLinkedRoleInput) *string { return in.RoleName }),
			service.Conditions(func(r state.Reader, in *DeleteServiceLinkedRoleInput, _ string) map[string][]string {
				role, ok := findRole(r, value(in.RoleName, ""))
				if !ok || !isServiceLinked(role) {
					return nil
				}
				return map[string][]string{"iam:awsservicename": {servicePrincipal(role)}}
			})),
		service.View("GetServiceLinkedRoleDeletionStatus", s.getServiceLinkedRoleDeletionStatus,
			service.On(func(r state.Reader, in *GetServiceLinkedRoleDeletionStatusInput) []string {
				path, _, _ := cutLast(strings.TrimPrefix(value(in.DeletionTaskId, ""), "task"))
				return []string{"arn:aws:iam::" + r.Account() + ":role" + path}
			})),
	}
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// linkedName is the path and name of a service's role.
func linkedName(principal, suffix string) (path, name string) {
	l, ok := findLinkedService(principal)
	if !ok {
		l.role = "AWSServiceRoleFor"
	}
	if suffix != "" {
		l.role += "_" + suffix
	}
	return serviceRolePath + principal + "/", l.role
}

func isServiceLinked(role *resource.Role) bool { return strings.HasPrefix(role.Path, serviceRolePath) }

func servicePrincipal(role *resource.Role) string {
	return strings.TrimSuffix(strings.TrimPrefix(role.Path, serviceRolePath), "/")
}

// checkModifiable refuses to change what belongs to a service.
func checkModifiable(role *resource.Role) error {
	if !isServiceLinked(role) {
		return nil
	}
	return api.Errorf("UnmodifiableEntity", "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", role.Name)
}

func (s *Service) createServiceLinkedRole(tx *state.Tx, _ *api.Call, in *CreateServiceLinkedRoleInput) (*CreateServiceLinkedRoleOutput, error) {
	l, ok := findLinkedService(*in.AWSServiceName)
	switch {
	case !ok:
		return nil, invalidInput("There is no service-linked role of %s here.", *in.AWSServiceName)
	case in.CustomSuffix != nil && !l.suffix:
		return nil, invalidInput("Custom suffix is not allowed for %s", l.principal)
	}
	path, name := linkedName(l.principal, value(in.CustomSuffix, ""))
	roles := state.List[*resource.Role](tx)
	if len(roles) >= maxRoles {
		return nil, limitExceeded("Cannot exceed quota for RolesPerAccount: %d", maxRoles)
	}
	for _, r := range roles {
		if strings.EqualFold(r.Name, name) {
			return nil, invalidInput("Service role name %s has been taken in this account, please try a different suffix.", name)
		}
	}
	role := &resource.Role{
		Name: name, Path: path, ID: newID(tx, "AROA"), Description: value(in.Description, l.description), CreateDate: tx.Now(),
		AssumeRolePolicyDocument: fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole"],"Effect":"Allow","Principal":{"Service":["%s"]}}]}`, l.principal),
		MaxSessionDuration:       defaultSessionDuration,
		AttachedPolicies:         []string{"arn:aws:iam::aws:policy" + serviceRolePath + l.policy},
	}
	role.ARN = arn(tx, "role", path, name)
	tx.Put(role)
	return &CreateServiceLinkedRoleOutput{Role: describeRole(role)}, nil
}

// deletions remembers what became of deletions, since the region started.
type deletions struct {
	mu    sync.Mutex
	tasks map[string]deletion // by task id; guarded by mu
}

type deletion struct {
	status string
	reason *DeletionTaskFailureReasonType
}

// maxDeletions bounds what is remembered.
const maxDeletions = 1000

func (d *deletions) put(task string, what deletion) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tasks == nil || len(d.tasks) >= maxDeletions {
		d.tasks = map[string]deletion{}
	}
	d.tasks[task] = what
}

// deleteServiceLinkedRole deletes the role unless its service needs it. AWS takes its time for that; here the task is
// done when it is answered.
func (s *Service) deleteServiceLinkedRole(tx *state.Tx, _ *api.Call, in *DeleteServiceLinkedRoleInput) (*DeleteServiceLinkedRoleOutput, error) {
	role, err := mustRole(tx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if !isServiceLinked(role) {
		return nil, invalidInput("The role %s is not a service-linked role.", role.Name)
	}
	h := tx.RandomHex(32)
	task := fmt.Sprintf("task%s%s/%s-%s-%s-%s-%s", role.Path, role.Name, h[:8], h[8:12], h[12:16], h[16:20], h[20:])
	if used := usedByService(tx, role); len(used) > 0 {
		reason, region := "The role is in use.", tx.Region()
		s.deletions.put(task, deletion{"FAILED", &DeletionTaskFailureReasonType{Reason: &reason, RoleUsageList: []RoleUsageType{{Region: &region, Resources: used}}}})
		return &DeleteServiceLinkedRoleOutput{DeletionTaskId: &task}, nil
	}
	tx.Delete(role)
	s.deletions.put(task, deletion{status: "SUCCEEDED"})
	return &DeleteServiceLinkedRoleOutput{DeletionTaskId: &task}, nil
}

// usedByService are the ARNs of what the service of a role has here.
func usedByService(r state.Reader, role *resource.Role) []string {
	var out []string
	if servicePrincipal(role) == "elasticloadbalancing.amazonaws.com" {
		for _, l := range state.List[*resource.LoadBalancer](r) {
			out = append(out, string(l.ARN))
		}
	}
	return out
}

func (s *Service) getServiceLinkedRoleDeletionStatus(_ *state.View, _ *api.Call, in *GetServiceLinkedRoleDeletionStatusInput) (*GetServiceLinkedRoleDeletionStatusOutput, error) {
	s.deletions.mu.Lock()
	defer s.deletions.mu.Unlock()
	d, ok := s.deletions.tasks[*in.DeletionTaskId]
	if !ok {
		return nil, noSuch("Deletion task with id %s cannot be found.", *in.DeletionTaskId)
	}
	return &GetServiceLinkedRoleDeletionStatusOutput{Status: &d.status, Reason: d.reason}, nil
}
