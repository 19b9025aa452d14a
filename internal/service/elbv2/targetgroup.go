package elbv2

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// maxTargetGroups is AWS's quota in a Region.
const maxTargetGroups = 3000

func (s *elb) createTargetGroup(tx *state.Tx, _ *api.Call, in *CreateTargetGroupInput) (*CreateTargetGroupOutput, error) {
	if err := checkGroupKind(in); err != nil {
		return nil, err
	}
	name := value(in.Name)
	if err := checkName("Target group", name); err != nil {
		return nil, err
	}
	switch {
	case in.Port == nil:
		return nil, invalid("A port must be specified")
	case in.VpcId == nil:
		return nil, invalid("A VPC ID must be specified")
	}
	if _, ok := state.Get[*resource.VPC](tx, *in.VpcId); !ok {
		return nil, invalid("The VPC ID '%s' is not found", *in.VpcId)
	}
	check, err := changeCheck(resource.HealthCheck{Interval: 30 * time.Second, Timeout: 10 * time.Second, Healthy: 5, Unhealthy: 2}, in.wish())
	if err != nil {
		return nil, err
	}
	if found := groupsNamed(tx, name); len(found) > 0 {
		old := found[0]
		if old.Instances != (or(in.TargetType, "instance") == "instance") || old.Port != int(*in.Port) || string(old.VPCID) != *in.VpcId || old.Check != check {
			return nil, api.Errorf("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", name)
		}
		return &CreateTargetGroupOutput{TargetGroups: []TargetGroup{groupOutput(tx, old)}}, nil
	}
	if len(state.List[*resource.TargetGroup](tx)) >= maxTargetGroups {
		return nil, api.Errorf("TooManyTargetGroups", "The maximum number of target groups has been reached")
	}
	tags, err := newTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	g := &resource.TargetGroup{
		ARN:  resource.TargetGroupARN(arn(tx, "targetgroup/"+name+"/"+tx.RandomHex(16))),
		Name: name, VPCID: resource.VPCID(*in.VpcId), Port: int(*in.Port), Instances: or(in.TargetType, "instance") == "instance", Check: check, Tags: tags,
	}
	tx.Put(g)
	return &CreateTargetGroupOutput{TargetGroups: []TargetGroup{groupOutput(tx, g)}}, nil
}

// checkGroupKind refuses all but addresses that speak TCP.
func checkGroupKind(in *CreateTargetGroupInput) error {
	switch kind := or(in.TargetType, "instance"); {
	case kind != "ip" && kind != "instance":
		return unsupported("The target type %s is not supported in this region: only ip and instance are.", kind)
	case in.Protocol == nil:
		return invalid("A protocol must be specified")
	case *in.Protocol != "TCP":
		return unsupported("The protocol %s is not supported in this region: only TCP is.", *in.Protocol)
	case or(in.IpAddressType, "ipv4") != "ipv4":
		return unsupported("The IP address type %s is not supported in this region: load balancers have IPv4 addresses only.", *in.IpAddressType)
	case value(in.ProtocolVersion) != "":
		return invalid("Protocol version is not supported for target groups with protocol '%s'", *in.Protocol)
	}
	return nil
}

// checkWish is what a caller says of a health check.
type checkWish struct {
	enabled                            *bool
	interval, timeout, healthy, unwell *int64
	port, protocol, path               *string
	matcher                            *Matcher
}

func (in *CreateTargetGroupInput) wish() checkWish {
	return checkWish{in.HealthCheckEnabled, in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds, in.HealthyThresholdCount,
		in.UnhealthyThresholdCount, in.HealthCheckPort, in.HealthCheckProtocol, in.HealthCheckPath, in.Matcher}
}

func (in *ModifyTargetGroupInput) wish() checkWish {
	return checkWish{in.HealthCheckEnabled, in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds, in.HealthyThresholdCount,
		in.UnhealthyThresholdCount, in.HealthCheckPort, in.HealthCheckProtocol, in.HealthCheckPath, in.Matcher}
}

// changeCheck puts a wish over a health check.
func changeCheck(c resource.HealthCheck, w checkWish) (resource.HealthCheck, error) {
	if protocol := or(w.protocol, "TCP"); protocol != "TCP" {
		return c, unsupported("Health checks with protocol %s are not supported in this region: only TCP ones are.", protocol)
	}
	switch {
	case !or(w.enabled, true):
		return c, invalid("Health check enabled must be true for target groups with target type 'ip' or 'instance'")
	case value(w.path) != "" || w.matcher != nil && (value(w.matcher.HttpCode) != "" || value(w.matcher.GrpcCode) != ""):
		return c, invalid("Health check path and matcher are not supported for health checks with protocol 'TCP'")
	}
	c.Interval = time.Duration(or(w.interval, int64(c.Interval/time.Second))) * time.Second
	c.Timeout = time.Duration(or(w.timeout, int64(min(c.Timeout, c.Interval)/time.Second))) * time.Second
	c.Healthy = int(or(w.healthy, int64(c.Healthy)))
	c.Unhealthy = int(or(w.unwell, int64(c.Unhealthy)))
	if c.Timeout > c.Interval {
		return c, invalid("Health check timeout '%d' must be smaller than or equal to the interval '%d'", c.Timeout/time.Second, c.Interval/time.Second)
	}
	switch port := value(w.port); port {
	case "":
	case "traffic-port":
		c.Port = 0
	default:
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return c, invalid("Health check port '%s' must be 'traffic-port' or in the range 1-65535", port)
		}
		c.Port = n
	}
	return c, nil
}

func groupsNamed(r state.Reader, name string) []*resource.TargetGroup {
	return state.Select(r, func(g *resource.TargetGroup) bool { return g.Name == name })
}

func findGroup(r state.Reader, arn *string) (*resource.TargetGroup, error) {
	if !strings.HasPrefix(value(arn), "arn:") {
		return nil, invalid("'%s' is not a valid target group ARN", value(arn))
	}
	g, ok := state.Get[*resource.TargetGroup](r, *arn)
	if !ok {
		return nil, api.Errorf("TargetGroupNotFound", "Target groups '%s' not found", *arn)
	}
	return g, nil
}

func (s *elb) modifyTargetGroup(tx *state.Tx, _ *api.Call, in *ModifyTargetGroupInput) (*ModifyTargetGroupOutput, error) {
	old, err := findGroup(tx, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	g := new(*old)
	if g.Check, err = changeCheck(old.Check, in.wish()); err != nil {
		return nil, err
	}
	tx.Put(g)
	return &ModifyTargetGroupOutput{TargetGroups: []TargetGroup{groupOutput(tx, g)}}, nil
}

func (s *elb) deleteTargetGroup(tx *state.Tx, _ *api.Call, in *DeleteTargetGroupInput) (*DeleteTargetGroupOutput, error) {
	g, ok := state.Get[*resource.TargetGroup](tx, value(in.TargetGroupArn))
	if !ok {
		return &DeleteTargetGroupOutput{}, nil // as AWS: what is gone is deleted
	}
	if len(balancersOf(tx, g.ARN)) > 0 {
		return nil, api.Errorf("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", g.ARN)
	}
	tx.Delete(g)
	return &DeleteTargetGroupOutput{}, nil
}

// balancersOf are the load balancers that lead to a group.
func balancersOf(r state.Reader, g resource.TargetGroupARN) []string {
	out := []string{}
	for _, l := range state.Select(r, func(l *resource.Listener) bool { return l.TargetGroup == g }) {
		if !slices.Contains(out, string(l.LoadBalancer)) {
			out = append(out, string(l.LoadBalancer))
		}
	}
	return out
}

func (s *elb) describeTargetGroups(v *state.View, _ *api.Call, in *DescribeTargetGroupsInput) (*DescribeTargetGroupsOutput, error) {
	var found []*resource.TargetGroup
	switch {
	case len(in.TargetGroupArns) > 0:
		for _, a := range in.TargetGroupArns {
			g, ok := state.Get[*resource.TargetGroup](v, a)
			if !ok {
				return nil, api.Errorf("TargetGroupNotFound", "One or more target groups not found")
			}
			found = append(found, g)
		}
	case len(in.Names) > 0:
		for _, n := range in.Names {
			named := groupsNamed(v, n)
			if len(named) == 0 {
				return nil, api.Errorf("TargetGroupNotFound", "One or more target groups not found")
			}
			found = append(found, named...)
		}
	case in.LoadBalancerArn != nil:
		b, err := findBalancer(v, in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		found = state.Select(v, func(g *resource.TargetGroup) bool { return slices.Contains(balancersOf(v, g.ARN), string(b.ARN)) })
	default:
		found = state.List[*resource.TargetGroup](v)
	}
	items, next, err := page(found, (*resource.TargetGroup).Key, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &DescribeTargetGroupsOutput{TargetGroups: []TargetGroup{}, NextMarker: next}
	for _, g := range items {
		out.TargetGroups = append(out.TargetGroups, groupOutput(v, g))
	}
	return out, nil
}

func groupOutput(r state.Reader, g *resource.TargetGroup) TargetGroup {
	return TargetGroup{
		HealthCheckEnabled:         new(true),
		HealthCheckIntervalSeconds: new(int64(g.Check.Interval / time.Second)),
		HealthCheckPort:            new(portText(g.Check.Port)),
		HealthCheckProtocol:        new("TCP"),
		HealthCheckTimeoutSeconds:  new(int64(g.Check.Timeout / time.Second)),
		HealthyThresholdCount:      new(int64(g.Check.Healthy)),
		IpAddressType:              new("ipv4"),
		LoadBalancerArns:           balancersOf(r, g.ARN),
		Port:                       new(int64(g.Port)),
		Protocol:                   new("TCP"),
		TargetGroupArn:             new(string(g.ARN)),
		TargetGroupName:            new(g.Name),
		TargetType:                 new(targetType(g)),
		UnhealthyThresholdCount:    new(int64(g.Check.Unhealthy)),
		VpcId:                      new(string(g.VPCID)),
	}
}

func targetType(g *resource.TargetGroup) string {
	if g.Instances {
		return "instance"
	}
	return "ip"
}

func portText(port int) string {
	if port == 0 {
		return "traffic-port"
	}
	return strconv.Itoa(port)
}
