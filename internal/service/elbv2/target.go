package elbv2

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// maxTargets is AWS's quota of targets in a group of addresses.
const maxTargets = 1000

func (s *elb) registerTargets(tx *state.Tx, _ *api.Call, in *RegisterTargetsInput) (*RegisterTargetsOutput, error) {
	old, err := findGroup(tx, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	g := new(*old)
	g.Targets = slices.Clone(old.Targets)
	for _, d := range in.Targets {
		t, err := newTarget(tx, g, d)
		if err != nil {
			return nil, err
		}
		if at := indexOf(g.Targets, t); at >= 0 {
			g.Targets[at] = t
		} else {
			g.Targets = append(g.Targets, t)
		}
	}
	if len(g.Targets) > maxTargets {
		return nil, api.Errorf("TooManyTargets", "The maximum number of targets of target group '%s' has been reached", g.ARN)
	}
	tx.Put(g)
	return &RegisterTargetsOutput{}, nil
}

func indexOf(all []resource.Target, t resource.Target) int {
	return slices.IndexFunc(all, func(o resource.Target) bool {
		return o.Address == t.Address && o.InstanceID == t.InstanceID && o.Port == t.Port
	})
}

// newTarget reads a target. One in the VPC is in its subnet's zone; one elsewhere must be said to be in all.
func newTarget(r state.Reader, g *resource.TargetGroup, d TargetDescription) (resource.Target, error) {
	if g.Instances {
		return newInstanceTarget(r, g, d)
	}
	a, err := netip.ParseAddr(value(d.Id))
	if err != nil || !a.Is4() {
		return resource.Target{}, api.Errorf("InvalidTarget", "The IP address '%s' is not a valid IPv4 address", value(d.Id))
	}
	t := resource.Target{Address: a, Port: int(or(d.Port, int64(g.Port))), AvailabilityZone: value(d.AvailabilityZone)}
	vpc, ok := state.Get[*resource.VPC](r, g.VPCID)
	if !ok {
		return t, api.Errorf("InvalidTarget", "The VPC '%s' of target group '%s' does not exist", g.VPCID, g.ARN)
	}
	if !vpc.Contains(a) {
		if !a.IsPrivate() && !netip.MustParsePrefix("100.64.0.0/10").Contains(a) {
			return t, api.Errorf("InvalidTarget", "The IP address '%s' must be within the VPC's CIDR blocks, 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12 or 192.168.0.0/16", a)
		}
		if t.AvailabilityZone != resource.AllZones {
			return t, api.Errorf("InvalidTarget", "The IP address '%s' is not within a subnet of the VPC '%s': its Availability Zone must be 'all'", a, g.VPCID)
		}
		return t, nil
	}
	subnets := state.Select(r, func(s *resource.Subnet) bool { return s.VPCID == g.VPCID && s.CIDR.Contains(a) })
	if len(subnets) == 0 {
		return t, api.Errorf("InvalidTarget", "The IP address '%s' is not within a subnet of the VPC '%s'", a, g.VPCID)
	}
	switch t.AvailabilityZone {
	case "":
		t.AvailabilityZone = subnets[0].AvailabilityZone
	case subnets[0].AvailabilityZone, resource.AllZones:
	default:
		return t, api.Errorf("InvalidTarget", "The Availability Zone '%s' is not that of the IP address '%s'", t.AvailabilityZone, a)
	}
	return t, nil
}

// newInstanceTarget reads a target that is an instance, which must run.
func newInstanceTarget(r state.Reader, g *resource.TargetGroup, d TargetDescription) (resource.Target, error) {
	t := resource.Target{InstanceID: resource.InstanceID(value(d.Id)), Port: int(or(d.Port, int64(g.Port)))}
	i, ok := state.Get[*resource.Instance](r, t.InstanceID)
	switch {
	case !ok:
		return t, api.Errorf("InvalidTarget", "The following targets are not valid instances: '%s'", t.InstanceID)
	case i.VPCID != g.VPCID:
		return t, api.Errorf("InvalidTarget", "The following targets are not in the target group VPC '%s': '%s'", g.VPCID, t.InstanceID)
	case i.State != resource.InstanceRunning:
		return t, api.Errorf("InvalidTarget", "The following targets are not in a running state and cannot be registered: '%s'", t.InstanceID)
	case value(d.AvailabilityZone) != "":
		return t, invalid("You cannot specify an Availability Zone for target '%s': it is an instance", t.InstanceID)
	}
	return t, nil
}

// idOf is what callers call a target.
func idOf(t resource.Target) string {
	if t.InstanceID != "" {
		return string(t.InstanceID)
	}
	return t.Address.String()
}

// matching are the targets of a group that a description names; without a port, all of the address.
func matching(g *resource.TargetGroup, d TargetDescription) ([]resource.Target, error) {
	if _, err := netip.ParseAddr(value(d.Id)); err != nil && !g.Instances {
		return nil, api.Errorf("InvalidTarget", "The IP address '%s' is not a valid IPv4 address", value(d.Id))
	}
	var out []resource.Target
	for _, t := range g.Targets {
		if idOf(t) == value(d.Id) && (d.Port == nil || t.Port == int(*d.Port)) {
			out = append(out, t)
		}
	}
	return out, nil
}

// deregisterTargets takes targets out. Connections to them go on until they end, as on AWS.
func (s *elb) deregisterTargets(tx *state.Tx, _ *api.Call, in *DeregisterTargetsInput) (*DeregisterTargetsOutput, error) {
	old, err := findGroup(tx, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	g := new(*old)
	for _, d := range in.Targets {
		gone, err := matching(g, d)
		if err != nil {
			return nil, err
		}
		g.Targets = slices.DeleteFunc(slices.Clone(g.Targets), func(t resource.Target) bool { return slices.Contains(gone, t) })
	}
	tx.Put(g)
	return &DeregisterTargetsOutput{}, nil
}

func (s *elb) describeTargetHealth(v *state.View, _ *api.Call, in *DescribeTargetHealthInput) (*DescribeTargetHealthOutput, error) {
	g, err := findGroup(v, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	out := &DescribeTargetHealthOutput{TargetHealthDescriptions: []TargetHealthDescription{}}
	if len(in.Targets) == 0 {
		for _, t := range g.Targets {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, s.healthOutput(g, t))
		}
		return out, nil
	}
	for _, d := range in.Targets {
		found, err := matching(g, d)
		if err != nil {
			return nil, err
		}
		for _, t := range found {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, s.healthOutput(g, t))
		}
		if len(found) == 0 {
			d.Port = new(or(d.Port, int64(g.Port)))
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, TargetHealthDescription{Target: &d, TargetHealth: &TargetHealth{
				State: new("unused"), Reason: new("Target.NotRegistered"), Description: new("Target is not registered to the target group"),
			}})
		}
	}
	return out, nil
}

func (s *elb) healthOutput(g *resource.TargetGroup, t resource.Target) TargetHealthDescription {
	port := t.Port
	if g.Check.Port != 0 {
		port = g.Check.Port
	}
	h := &TargetHealth{State: new("unused")}
	if s.config.Health != nil {
		h.State = new(s.config.Health(g.ARN, t))
	}
	switch *h.State {
	case "initial":
		h.Reason, h.Description = new("Elb.InitialHealthChecking"), new("Initial health checks in progress")
	case "unhealthy":
		h.Reason, h.Description = new("Target.FailedHealthChecks"), new("Health checks failed")
	case "unused":
		h.Reason, h.Description = new("Target.NotInUse"), new("Target group is not configured to receive traffic from the load balancer")
	}
	return TargetHealthDescription{
		HealthCheckPort: new(strconv.Itoa(port)), TargetHealth: h,
		Target: &TargetDescription{Id: new(idOf(t)), Port: new(int64(t.Port)), AvailabilityZone: zone(t)},
	}
}

// zone is the zone of an address; of an instance none is said.
func zone(t resource.Target) *string {
	if t.AvailabilityZone == "" {
		return nil
	}
	return &t.AvailabilityZone
}
