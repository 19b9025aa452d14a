package iam

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func TestAServiceLinkedRoleBelongsToItsService(t *testing.T) {
	r := newRegion(t)
	for _, l := range linkedServices() {
		role := must[CreateServiceLinkedRoleOutput](t, r, "CreateServiceLinkedRole", &CreateServiceLinkedRoleInput{AWSServiceName: &l.principal}).Role
		if want := "arn:aws:iam::" + account + ":role/aws-service-role/" + l.principal + "/" + l.role; *role.Arn != want {
			t.Errorf("ARN %s, want %s", *role.Arn, want)
		}
		if !r.AssumableBy(r.store.View(), *role.Arn, l.principal) || r.AssumableBy(r.store.View(), *role.Arn, "ec2.amazonaws.com") {
			t.Errorf("%s is not for %s alone", *role.Arn, l.principal)
		}
		attached := must[ListAttachedRolePoliciesOutput](t, r, "ListAttachedRolePolicies", &ListAttachedRolePoliciesInput{RoleName: role.RoleName}).AttachedPolicies
		if len(attached) != 1 || *attached[0].PolicyName != l.policy {
			t.Errorf("policies of %s: %+v", l.role, attached)
		}
	}
	elb := p("AWSServiceRoleForElasticLoadBalancing")
	protected := "UnmodifiableEntity: Cannot perform the operation on the protected role 'AWSServiceRoleForElasticLoadBalancing' - this role is only modifiable by AWS"
	for name, in := range map[string]any{
		"AttachRolePolicy":              &AttachRolePolicyInput{RoleName: elb, PolicyArn: p(denyAll)},
		"DetachRolePolicy":              &DetachRolePolicyInput{RoleName: elb, PolicyArn: p("arn:aws:iam::aws:policy/aws-service-role/AWSElasticLoadBalancingServiceRolePolicy")},
		"PutRolePolicy":                 &PutRolePolicyInput{RoleName: elb, PolicyName: p("x"), PolicyDocument: p(allS3)},
		"UpdateAssumeRolePolicy":        &UpdateAssumeRolePolicyInput{RoleName: elb, PolicyDocument: p(lambdaTrust)},
		"PutRolePermissionsBoundary":    &PutRolePermissionsBoundaryInput{RoleName: elb, PermissionsBoundary: p(denyAll)},
		"DeleteRole":                    &DeleteRoleInput{RoleName: elb},
		"DeleteRolePolicy":              &DeleteRolePolicyInput{RoleName: elb, PolicyName: p("x")},
		"DeleteRolePermissionsBoundary": &DeleteRolePermissionsBoundaryInput{RoleName: elb},
	} {
		r.refuse(t, name, in, protected, 400)
	}
	must[UpdateRoleOutput](t, r, "UpdateRole", &UpdateRoleInput{RoleName: elb, Description: p("mine")})
	must[TagRoleOutput](t, r, "TagRole", &TagRoleInput{RoleName: elb, Tags: []Tag{{Key: p("a"), Value: p("b")}}})
}

func TestServiceLinkedRolesAreRefusedWithAWSsWords(t *testing.T) {
	r := newRegion(t)
	must[CreateServiceLinkedRoleOutput](t, r, "CreateServiceLinkedRole", &CreateServiceLinkedRoleInput{AWSServiceName: p("autoscaling.amazonaws.com")})
	role := must[CreateServiceLinkedRoleOutput](t, r, "CreateServiceLinkedRole", &CreateServiceLinkedRoleInput{AWSServiceName: p("autoscaling.amazonaws.com"), CustomSuffix: p("two")}).Role
	if *role.RoleName != "AWSServiceRoleForAutoScaling_two" {
		t.Errorf("name with a suffix: %s", *role.RoleName)
	}
	r.refuse(t, "CreateServiceLinkedRole", &CreateServiceLinkedRoleInput{AWSServiceName: p("autoscaling.amazonaws.com")},
		"InvalidInput: Service role name AWSServiceRoleForAutoScaling has been taken in this account, please try a different suffix.", 400)
	r.refuse(t, "CreateServiceLinkedRole", &CreateServiceLinkedRoleInput{AWSServiceName: p("spot.amazonaws.com"), CustomSuffix: p("x")},
		"InvalidInput: Custom suffix is not allowed for spot.amazonaws.com", 400)
	r.refuse(t, "CreateServiceLinkedRole", &CreateServiceLinkedRoleInput{AWSServiceName: p("rocket.amazonaws.com")},
		"InvalidInput: There is no service-linked role of rocket.amazonaws.com here.", 400)
	r.refuse(t, "CreateRole", &CreateRoleInput{RoleName: p("x"), Path: p("/aws-service-role/spot.amazonaws.com/"), AssumeRolePolicyDocument: p(lambdaTrust)},
		"InvalidInput: The path /aws-service-role/spot.amazonaws.com/ is reserved for service-linked roles.", 400)
	r.role(t, "own")
	r.refuse(t, "DeleteServiceLinkedRole", &DeleteServiceLinkedRoleInput{RoleName: p("own")}, "InvalidInput: The role own is not a service-linked role.", 400)
	r.refuse(t, "GetServiceLinkedRoleDeletionStatus", &GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: p("task/x")},
		"NoSuchEntity: Deletion task with id task/x cannot be found.", 404)
}

func TestAServiceLinkedRoleStaysWhileItsServiceNeedsIt(t *testing.T) {
	r := newRegion(t)
	must[CreateServiceLinkedRoleOutput](t, r, "CreateServiceLinkedRole", &CreateServiceLinkedRoleInput{AWSServiceName: p("elasticloadbalancing.amazonaws.com")})
	name := p("AWSServiceRoleForElasticLoadBalancing")
	balancer := &resource.LoadBalancer{ARN: "arn:aws:elasticloadbalancing:us-west-2:000000000000:loadbalancer/net/n/1"}
	if _, err := r.store.Update(func(tx *state.Tx) error { tx.Put(balancer); return nil }); err != nil {
		t.Fatal(err)
	}
	status := func() *GetServiceLinkedRoleDeletionStatusOutput {
		t.Helper()
		task := must[DeleteServiceLinkedRoleOutput](t, r, "DeleteServiceLinkedRole", &DeleteServiceLinkedRoleInput{RoleName: name}).DeletionTaskId
		if !strings.HasPrefix(*task, "task/aws-service-role/elasticloadbalancing.amazonaws.com/"+*name+"/") {
			t.Errorf("task %s", *task)
		}
		return must[GetServiceLinkedRoleDeletionStatusOutput](t, r, "GetServiceLinkedRoleDeletionStatus", &GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task})
	}
	if got := status(); *got.Status != "FAILED" || got.Reason.RoleUsageList[0].Resources[0] != string(balancer.ARN) {
		t.Errorf("with a load balancer: %+v", got)
	}
	if _, err := r.store.Update(func(tx *state.Tx) error { tx.Delete(balancer); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := status(); *got.Status != "SUCCEEDED" {
		t.Errorf("without: %+v", got)
	}
	r.refuse(t, "GetRole", &GetRoleInput{RoleName: name}, "NoSuchEntity: The role with name "+*name+" cannot be found.", 404)
}

func TestAuthorizationDetailsAreAllThereIs(t *testing.T) {
	r := newRegion(t)
	r.role(t, "reader")
	must[PutRolePolicyOutput](t, r, "PutRolePolicy", &PutRolePolicyInput{RoleName: p("reader"), PolicyName: p("reads"), PolicyDocument: p(readB)})
	must[AttachRolePolicyOutput](t, r, "AttachRolePolicy", &AttachRolePolicyInput{RoleName: p("reader"), PolicyArn: p(vpcAccess)})
	must[CreateInstanceProfileOutput](t, r, "CreateInstanceProfile", &CreateInstanceProfileInput{InstanceProfileName: p("profile")})
	must[AddRoleToInstanceProfileOutput](t, r, "AddRoleToInstanceProfile", &AddRoleToInstanceProfileInput{InstanceProfileName: p("profile"), RoleName: p("reader")})
	must[CreateGroupOutput](t, r, "CreateGroup", &CreateGroupInput{GroupName: p("g")})
	must[CreateUserOutput](t, r, "CreateUser", &CreateUserInput{UserName: p("ann"), Tags: []Tag{{Key: p("team"), Value: p("net")}}})
	must[AddUserToGroupOutput](t, r, "AddUserToGroup", &AddUserToGroupInput{GroupName: p("g"), UserName: p("ann")})
	own := must[CreatePolicyOutput](t, r, "CreatePolicy", &CreatePolicyInput{PolicyName: p("own"), PolicyDocument: p(allS3)}).Policy

	all := must[GetAccountAuthorizationDetailsOutput](t, r, "GetAccountAuthorizationDetails", &GetAccountAuthorizationDetailsInput{})
	role, user := all.RoleDetailList[0], all.UserDetailList[0]
	if text, _ := url.PathUnescape(*role.RolePolicyList[0].PolicyDocument); text != readB {
		t.Errorf("inline policy %s", text)
	}
	if *role.AttachedManagedPolicies[0].PolicyArn != vpcAccess || *role.InstanceProfileList[0].InstanceProfileName != "profile" {
		t.Errorf("role: %+v", role)
	}
	if diff := cmp.Diff([]string{"g"}, user.GroupList); diff != "" || *user.Tags[0].Value != "net" || *all.GroupDetailList[0].GroupName != "g" {
		t.Errorf("user %+v, groups %+v", user, all.GroupDetailList)
	}
	var policies []string
	for _, d := range all.Policies {
		policies = append(policies, *d.Arn)
	}
	if diff := cmp.Diff([]string{*own.Arn, vpcAccess}, policies); diff != "" {
		t.Errorf("policies, of AWS's the used one only (-want +got)\n%s", diff)
	}

	kinds, marker := 0, (*string)(nil)
	for pages := 0; pages == 0 || marker != nil; pages++ {
		page := must[GetAccountAuthorizationDetailsOutput](t, r, "GetAccountAuthorizationDetails", &GetAccountAuthorizationDetailsInput{MaxItems: p(int64(1)), Marker: marker})
		kinds += len(page.UserDetailList) + len(page.GroupDetailList) + len(page.RoleDetailList) + len(page.Policies)
		marker = page.Marker
	}
	if kinds != 5 {
		t.Errorf("%d entries in pages of one, want 5", kinds)
	}
	only := must[GetAccountAuthorizationDetailsOutput](t, r, "GetAccountAuthorizationDetails", &GetAccountAuthorizationDetailsInput{Filter: []string{"AWSManagedPolicy"}})
	if len(only.UserDetailList)+len(only.GroupDetailList)+len(only.RoleDetailList) != 0 || len(only.Policies) != 1 {
		t.Errorf("filtered: %+v", only)
	}
	_, err := r.try(t, "GetAccountAuthorizationDetails", &GetAccountAuthorizationDetailsInput{Filter: []string{"Robot"}})
	if err == nil || !strings.Contains(err.Error(), "ValidationError") {
		t.Errorf("an unknown filter: %v", err)
	}
}
