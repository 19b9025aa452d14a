package elbv2

import (
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Config says what the service has to know.
type Config struct {
	// Health is how a target of a group is, in AWS's words: healthy, unhealthy, initial, or unused.
	Health func(resource.TargetGroupARN, resource.Target) string
}

type elb struct{ config Config }

// New makes the service.
func New(c Config) service.Definition {
	s := &elb{c}
	return service.Definition{
		Name:       "elasticloadbalancing",
		Protocol:   service.AWSQuery,
		Version:    "2015-12-01",
		Namespace:  "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
		Operations: append(append(s.balancerOperations(), s.groupOperations()...), s.listenerOperations()...),
	}
}

func (s *elb) balancerOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateLoadBalancer", s.createLoadBalancer, service.On(func(r state.Reader, in *CreateLoadBalancerInput) []string {
			return []string{arn(r, "loadbalancer/net/"+value(in.Name)+"/*")}
		})),
		service.View("DescribeLoadBalancers", s.describeLoadBalancers, service.OnAny()),
		service.Update("DeleteLoadBalancer", s.deleteLoadBalancer, on(func(in *DeleteLoadBalancerInput) *string { return in.LoadBalancerArn })),
		service.View("DescribeLoadBalancerAttributes", s.describeLoadBalancerAttributes, service.OnAny()),
		service.Update("ModifyLoadBalancerAttributes", s.modifyLoadBalancerAttributes, on(func(in *ModifyLoadBalancerAttributesInput) *string { return in.LoadBalancerArn })),
		service.Update("SetSubnets", s.setSubnets, on(func(in *SetSubnetsInput) *string { return in.LoadBalancerArn })),
		service.Update("SetSecurityGroups", s.setSecurityGroups, on(func(in *SetSecurityGroupsInput) *string { return in.LoadBalancerArn })),
		service.Update("AddTags", s.addTags, service.On(func(_ state.Reader, in *AddTagsInput) []string { return orAny(in.ResourceArns) })),
		service.Update("RemoveTags", s.removeTags, service.On(func(_ state.Reader, in *RemoveTagsInput) []string { return orAny(in.ResourceArns) })),
		service.View("DescribeTags", s.describeTags, service.OnAny()),
	}
}

func (s *elb) groupOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateTargetGroup", s.createTargetGroup, service.On(func(r state.Reader, in *CreateTargetGroupInput) []string {
			return []string{arn(r, "targetgroup/"+value(in.Name)+"/*")}
		})),
		service.View("DescribeTargetGroups", s.describeTargetGroups, service.OnAny()),
		service.Update("ModifyTargetGroup", s.modifyTargetGroup, on(func(in *ModifyTargetGroupInput) *string { return in.TargetGroupArn })),
		service.Update("DeleteTargetGroup", s.deleteTargetGroup, on(func(in *DeleteTargetGroupInput) *string { return in.TargetGroupArn })),
		service.View("DescribeTargetGroupAttributes", s.describeTargetGroupAttributes, service.OnAny()),
		service.Update("ModifyTargetGroupAttributes", s.modifyTargetGroupAttributes, on(func(in *ModifyTargetGroupAttributesInput) *string { return in.TargetGroupArn })),
		service.Update("RegisterTargets", s.registerTargets, on(func(in *RegisterTargetsInput) *string { return in.TargetGroupArn })),
		service.Update("DeregisterTargets", s.deregisterTargets, on(func(in *DeregisterTargetsInput) *string { return in.TargetGroupArn })),
		service.View("DescribeTargetHealth", s.describeTargetHealth, service.OnAny()),
	}
}

func (s *elb) listenerOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateListener", s.createListener, on(func(in *CreateListenerInput) *string { return in.LoadBalancerArn })),
		service.View("DescribeListeners", s.describeListeners, service.OnAny()),
		service.Update("ModifyListener", s.modifyListener, on(func(in *ModifyListenerInput) *string { return in.ListenerArn })),
		service.Update("DeleteListener", s.deleteListener, on(func(in *DeleteListenerInput) *string { return in.ListenerArn })),
		service.View("DescribeListenerAttributes", s.describeListenerAttributes, service.OnAny()),
		service.Update("ModifyListenerAttributes", s.modifyListenerAttributes, on(func(in *ModifyListenerAttributesInput) *string { return in.ListenerArn })),
	}
}

// on says that an operation acts on the resource of an ARN.
func on[In any](of func(*In) *string) service.Option {
	return service.On(func(_ state.Reader, in *In) []string { return orAny([]string{value(of(in))}) })
}

// orAny turns what is no ARN into "any": a caller who may act on one only learns nothing of others.
func orAny(arns []string) []string {
	out := []string{}
	for _, a := range arns {
		if !strings.HasPrefix(a, "arn:") {
			a = "*"
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return []string{"*"}
	}
	return out
}

func arn(r state.Reader, rest string) string {
	return "arn:aws:elasticloadbalancing:" + r.Region() + ":" + r.Account() + ":" + rest
}

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// or is what p points to, or the default.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

func invalid(format string, args ...any) error { return api.Errorf("ValidationError", format, args...) }

// unsupported refuses what this region could keep but not enforce.
func unsupported(format string, args ...any) error {
	return api.Errorf("UnsupportedOperation", format, args...)
}

// checkName refuses what is no name of a load balancer or a target group.
func checkName(what, name string) error {
	switch {
	case len(name) > 32:
		return invalid("%s name '%s' cannot be longer than '32' characters", what, name)
	case name == "" || !onlyNameCharacters(name):
		return invalid("%s name '%s' can only contain characters that are alphanumeric characters and hyphens(-)", what, name)
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return invalid("%s name '%s' cannot begin or end with '-'", what, name)
	case strings.HasPrefix(name, "internal-"):
		return invalid("%s name '%s' cannot begin with 'internal-'", what, name)
	}
	return nil
}

func onlyNameCharacters(name string) bool {
	for _, c := range name {
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
