package elbv2

import (
	"maps"
	"slices"
	"strconv"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// The attributes that have an effect here.
const (
	deletionProtection = "deletion_protection.enabled"
	crossZone          = "load_balancing.cross_zone.enabled"
	proxyProtocol      = "proxy_protocol_v2.enabled"
	deregistration     = "deregistration_delay.timeout_seconds"
)

// attribute is one setting: AWS's default and the values that are taken. What would ask for something that is not
// done here is refused.
type attribute struct {
	usual string
	takes func(string) bool
}

func oneOf(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}

// balancerAttributes of a network load balancer.
func balancerAttributes() map[string]attribute {
	return map[string]attribute{
		deletionProtection:                       {"false", oneOf("true", "false")},
		crossZone:                                {"false", oneOf("true", "false")},
		"access_logs.s3.enabled":                 {"false", oneOf("false")},
		"access_logs.s3.bucket":                  {"", oneOf("")},
		"access_logs.s3.prefix":                  {"", oneOf("")},
		"ipv6.deny_all_igw_traffic":              {"false", oneOf("false")},
		"dns_record.client_routing_policy":       {"any_availability_zone", oneOf("any_availability_zone")},
		"zonal_shift.config.enabled":             {"false", oneOf("false")},
		"secondary_ips.auto_assigned.per_subnet": {"0", oneOf("0")},
	}
}

// groupAttributes of a target group of a network load balancer with addresses as targets.
func groupAttributes() map[string]attribute {
	seconds := func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n >= 0 && n <= 3600
	}
	return map[string]attribute{
		deregistration:               {"300", seconds},
		crossZone:                    {"use_load_balancer_configuration", oneOf("true", "false", "use_load_balancer_configuration")},
		proxyProtocol:                {"false", oneOf("true", "false")},
		"stickiness.enabled":         {"false", oneOf("false")},
		"stickiness.type":            {"source_ip", oneOf("source_ip")},
		"preserve_client_ip.enabled": {"false", oneOf("false")},
		"deregistration_delay.connection_termination.enabled":                            {"false", oneOf("false")},
		"target_health_state.unhealthy.connection_termination.enabled":                   {"true", oneOf("true")},
		"target_health_state.unhealthy.draining_interval_seconds":                        {"0", oneOf("0")},
		"target_group_health.dns_failover.minimum_healthy_targets.count":                 {"1", oneOf("1")},
		"target_group_health.dns_failover.minimum_healthy_targets.percentage":            {"off", oneOf("off")},
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      {"1", oneOf("1")},
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": {"off", oneOf("off")},
	}
}

// listenerAttributes of a TCP listener.
func listenerAttributes() map[string]attribute {
	return map[string]attribute{"tcp.idle_timeout.seconds": {"350", oneOf("350")}}
}

// set returns the settings with one changed.
func set(all map[string]attribute, old map[string]string, key, to string) (map[string]string, error) {
	a, ok := all[key]
	switch {
	case !ok:
		return nil, api.Errorf("InvalidConfigurationRequest", "The attribute '%s' is not valid, or not supported in this region", key)
	case !a.takes(to):
		return nil, api.Errorf("InvalidConfigurationRequest", "The value '%s' of attribute '%s' is not valid, or not supported in this region", to, key)
	}
	out := maps.Clone(old)
	if out == nil {
		out = map[string]string{}
	}
	out[key] = to
	return out, nil
}

// current lists settings by name, those that were not made with AWS's default.
func current(all map[string]attribute, made map[string]string, each func(key, value string)) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		v, ok := made[key]
		if !ok {
			v = all[key].usual
		}
		each(key, v)
	}
}

func balancerSettings(b *resource.LoadBalancer) []LoadBalancerAttribute {
	out := []LoadBalancerAttribute{}
	current(balancerAttributes(), b.Attributes, func(k, v string) { out = append(out, LoadBalancerAttribute{Key: &k, Value: &v}) })
	return out
}

func (s *elb) describeLoadBalancerAttributes(v *state.View, _ *api.Call, in *DescribeLoadBalancerAttributesInput) (*DescribeLoadBalancerAttributesOutput, error) {
	b, err := findBalancer(v, in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	return &DescribeLoadBalancerAttributesOutput{Attributes: balancerSettings(b)}, nil
}

func (s *elb) modifyLoadBalancerAttributes(tx *state.Tx, _ *api.Call, in *ModifyLoadBalancerAttributesInput) (*ModifyLoadBalancerAttributesOutput, error) {
	old, err := findBalancer(tx, in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	b := new(*old)
	for _, a := range in.Attributes {
		if b.Attributes, err = set(balancerAttributes(), b.Attributes, value(a.Key), value(a.Value)); err != nil {
			return nil, err
		}
	}
	tx.Put(b)
	return &ModifyLoadBalancerAttributesOutput{Attributes: balancerSettings(b)}, nil
}

func groupSettings(g *resource.TargetGroup) []TargetGroupAttribute {
	out := []TargetGroupAttribute{}
	current(groupAttributes(), g.Attributes, func(k, v string) { out = append(out, TargetGroupAttribute{Key: &k, Value: &v}) })
	return out
}

func (s *elb) describeTargetGroupAttributes(v *state.View, _ *api.Call, in *DescribeTargetGroupAttributesInput) (*DescribeTargetGroupAttributesOutput, error) {
	g, err := findGroup(v, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &DescribeTargetGroupAttributesOutput{Attributes: groupSettings(g)}, nil
}

func (s *elb) modifyTargetGroupAttributes(tx *state.Tx, _ *api.Call, in *ModifyTargetGroupAttributesInput) (*ModifyTargetGroupAttributesOutput, error) {
	old, err := findGroup(tx, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	g := new(*old)
	for _, a := range in.Attributes {
		if g.Attributes, err = set(groupAttributes(), g.Attributes, value(a.Key), value(a.Value)); err != nil {
			return nil, err
		}
	}
	tx.Put(g)
	return &ModifyTargetGroupAttributesOutput{Attributes: groupSettings(g)}, nil
}

func listenerSettings() []ListenerAttribute {
	out := []ListenerAttribute{}
	current(listenerAttributes(), nil, func(k, v string) { out = append(out, ListenerAttribute{Key: &k, Value: &v}) })
	return out
}

func (s *elb) describeListenerAttributes(v *state.View, _ *api.Call, in *DescribeListenerAttributesInput) (*DescribeListenerAttributesOutput, error) {
	if _, err := findListener(v, in.ListenerArn); err != nil {
		return nil, err
	}
	return &DescribeListenerAttributesOutput{Attributes: listenerSettings()}, nil
}

// modifyListenerAttributes takes what is so anyway.
func (s *elb) modifyListenerAttributes(tx *state.Tx, _ *api.Call, in *ModifyListenerAttributesInput) (*ModifyListenerAttributesOutput, error) {
	if _, err := findListener(tx, in.ListenerArn); err != nil {
		return nil, err
	}
	for _, a := range in.Attributes {
		if _, err := set(listenerAttributes(), nil, value(a.Key), value(a.Value)); err != nil {
			return nil, err
		}
	}
	return &ModifyListenerAttributesOutput{Attributes: listenerSettings()}, nil
}
