package elbv2

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// world is a region with two VPCs; in the first are two subnets, a group and what a test makes.
type world struct {
	t     *testing.T
	store *state.Store
	*elb
}

const (
	vpcA, vpcB   = "vpc-00000000000000001", "vpc-00000000000000002"
	front, back  = "subnet-00000000000000001", "subnet-00000000000000002"
	twin, abroad = "subnet-00000000000000003", "subnet-00000000000000004"
	group        = "sg-00000000000000001"
	gone         = "arn:aws:elasticloadbalancing:us-west-2:123456789012:gone"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	store, err := state.Open(state.Config{Region: "us-west-2", Account: "123456789012"})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, elb: &elb{}}
	_, err = store.Update(func(tx *state.Tx) error {
		for _, v := range []resource.VPCID{vpcA, vpcB} {
			tx.Put(&resource.VPC{ID: v, CIDRs: []resource.VPCCIDR{{Prefix: netip.MustParsePrefix("10.0.0.0/16")}}})
		}
		for _, s := range []resource.Subnet{
			{ID: front, VPCID: vpcA, CIDR: netip.MustParsePrefix("10.0.1.0/24"), AvailabilityZone: "us-west-2a"},
			{ID: back, VPCID: vpcA, CIDR: netip.MustParsePrefix("10.0.2.0/24"), AvailabilityZone: "us-west-2b"},
			{ID: twin, VPCID: vpcA, CIDR: netip.MustParsePrefix("10.0.3.0/24"), AvailabilityZone: "us-west-2a"},
			{ID: abroad, VPCID: vpcB, CIDR: netip.MustParsePrefix("10.0.2.0/24"), AvailabilityZone: "us-west-2b"},
		} {
			tx.Put(&s)
		}
		tx.Put(&resource.SecurityGroup{ID: group, VPCID: vpcA, Name: "one"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func try[In, Out any](w *world, h func(*state.Tx, *api.Call, *In) (*Out, error), in In) (*Out, error) {
	var out *Out
	_, err := w.store.Update(func(tx *state.Tx) (err error) {
		out, err = h(tx, &api.Call{}, &in)
		return err
	})
	return out, err
}

func do[In, Out any](w *world, h func(*state.Tx, *api.Call, *In) (*Out, error), in In) *Out {
	w.t.Helper()
	out, err := try(w, h, in)
	if err != nil {
		w.t.Fatalf("%T: %v", in, err)
	}
	return out
}

// refused makes a call that must fail with a code and a text, and change nothing.
func refused[In, Out any](w *world, h func(*state.Tx, *api.Call, *In) (*Out, error), in In, code, text string) {
	w.t.Helper()
	before := w.store.View().Revision()
	_, err := try(w, h, in)
	e := api.AsError(err)
	if e == nil || e.Code != code || !strings.Contains(e.Message, text) {
		w.t.Errorf("%T: got %v, want %s: ...%s...", in, err, code, text)
	}
	if w.store.View().Revision() != before {
		w.t.Errorf("%T: a refused call changed the state", in)
	}
}

// plain asks for an internal network load balancer.
func plain(name string, subnets ...string) CreateLoadBalancerInput {
	return CreateLoadBalancerInput{Name: &name, Type: new("network"), Scheme: new("internal"), Subnets: subnets}
}

func addresses(name string) CreateTargetGroupInput {
	return CreateTargetGroupInput{Name: &name, Protocol: new("TCP"), Port: new(int64(8080)), VpcId: new(vpcA), TargetType: new("ip")}
}

func forward(balancer, group *string, port int64) CreateListenerInput {
	return CreateListenerInput{LoadBalancerArn: balancer, Protocol: new("TCP"), Port: &port, DefaultActions: []Action{{Type: new("forward"), TargetGroupArn: group}}}
}

func TestLoadBalancersThatCannotBeAreRefused(t *testing.T) {
	w := newWorld(t)
	do(w, w.createLoadBalancer, plain("taken", front))
	with := func(change func(*CreateLoadBalancerInput)) CreateLoadBalancerInput {
		in := plain("inner", front)
		change(&in)
		return in
	}
	for _, c := range []struct {
		in         CreateLoadBalancerInput
		code, text string
	}{
		{with(func(in *CreateLoadBalancerInput) { in.Type = nil }), "UnsupportedOperation", "Application load balancers"},
		{with(func(in *CreateLoadBalancerInput) { in.Type = new("gateway") }), "UnsupportedOperation", "Gateway load balancers"},
		{with(func(in *CreateLoadBalancerInput) { in.Scheme = nil }), "UnsupportedOperation", "Internet-facing"},
		{with(func(in *CreateLoadBalancerInput) { in.IpAddressType = new("dualstack") }), "UnsupportedOperation", "dualstack"},
		{with(func(in *CreateLoadBalancerInput) { in.SubnetMappings = []SubnetMapping{{SubnetId: new(back)}} }), "ValidationError", "at the same time"},
		{plain("inner"), "ValidationError", "At least one subnet"},
		{plain("inner", "subnet-00000000000000099"), "SubnetNotFound", "does not exist"},
		{plain("inner", front, twin), "InvalidConfigurationRequest", "same Availability Zone"},
		{plain("inner", front, abroad), "InvalidConfigurationRequest", "same VPC"},
		{plain("-inner", front), "ValidationError", "begin or end"},
		{plain("internal-one", front), "ValidationError", "internal-"},
		{plain("in_ner", front), "ValidationError", "alphanumeric"},
		{plain(strings.Repeat("x", 33), front), "ValidationError", "longer"},
		{plain("taken", back), "DuplicateLoadBalancerName", "different settings"},
		{with(func(in *CreateLoadBalancerInput) { in.SecurityGroups = []string{"sg-00000000000000099"} }), "InvalidSecurityGroup", "does not exist"},
		{with(func(in *CreateLoadBalancerInput) {
			in.Subnets, in.SubnetMappings = nil, []SubnetMapping{{SubnetId: new(front), PrivateIPv4Address: new("10.0.9.9")}}
		}), "InvalidConfigurationRequest", "does not fall within"},
	} {
		refused(w, w.createLoadBalancer, c.in, c.code, c.text)
	}
}

func TestAskingTwiceForTheSameLoadBalancerGivesOne(t *testing.T) {
	w := newWorld(t)
	one, two := do(w, w.createLoadBalancer, plain("inner", front, back)), do(w, w.createLoadBalancer, plain("inner", front, back))
	if *one.LoadBalancers[0].LoadBalancerArn != *two.LoadBalancers[0].LoadBalancerArn {
		t.Error("two load balancers of one name")
	}
	if got := len(state.List[*resource.NetworkInterface](w.store.View())); got != 2 {
		t.Errorf("%d interfaces, want one in each subnet", got)
	}
}

func TestWhatIsInUseStays(t *testing.T) {
	w := newWorld(t)
	b := do(w, w.createLoadBalancer, plain("inner", front)).LoadBalancers[0].LoadBalancerArn
	other := do(w, w.createLoadBalancer, plain("other", front)).LoadBalancers[0].LoadBalancerArn
	g := do(w, w.createTargetGroup, addresses("workloads")).TargetGroups[0].TargetGroupArn
	do(w, w.createListener, forward(b, g, 80))
	refused(w, w.createListener, forward(b, g, 80), "DuplicateListener", "already exists on this port")
	refused(w, w.createListener, forward(other, g, 80), "TargetGroupAssociationLimit", "more than one load balancer")
	refused(w, w.createListener, forward(new(gone), g, 80), "LoadBalancerNotFound", "not found")
	refused(w, w.createListener, forward(b, new(gone), 81), "TargetGroupNotFound", "not found")
	tls := forward(b, g, 443)
	tls.Protocol = new("TLS")
	refused(w, w.createListener, tls, "UnsupportedOperation", "only TCP")
	refused(w, w.deleteTargetGroup, DeleteTargetGroupInput{TargetGroupArn: g}, "ResourceInUse", "in use by a listener")

	protect := func(on string) ModifyLoadBalancerAttributesInput {
		return ModifyLoadBalancerAttributesInput{LoadBalancerArn: b, Attributes: []LoadBalancerAttribute{{Key: new(deletionProtection), Value: &on}}}
	}
	do(w, w.modifyLoadBalancerAttributes, protect("true"))
	refused(w, w.deleteLoadBalancer, DeleteLoadBalancerInput{LoadBalancerArn: b}, "OperationNotPermitted", "deletion protection")
	do(w, w.modifyLoadBalancerAttributes, protect("false"))
	service := &resource.EndpointService{ID: "vpce-svc-1", LoadBalancers: []resource.LoadBalancerARN{resource.LoadBalancerARN(*b)}}
	if _, err := w.store.Update(func(tx *state.Tx) error { tx.Put(service); return nil }); err != nil {
		t.Fatal(err)
	}
	refused(w, w.deleteLoadBalancer, DeleteLoadBalancerInput{LoadBalancerArn: b}, "ResourceInUse", "associated with another service")
	if _, err := w.store.Update(func(tx *state.Tx) error { tx.Delete(service); return nil }); err != nil {
		t.Fatal(err)
	}
	do(w, w.deleteLoadBalancer, DeleteLoadBalancerInput{LoadBalancerArn: b})
	do(w, w.deleteLoadBalancer, DeleteLoadBalancerInput{LoadBalancerArn: b})
	do(w, w.deleteTargetGroup, DeleteTargetGroupInput{TargetGroupArn: g})
	do(w, w.deleteLoadBalancer, DeleteLoadBalancerInput{LoadBalancerArn: other})
	v := w.store.View()
	if left := len(state.List[*resource.NetworkInterface](v)) + len(state.List[*resource.Listener](v)); left != 0 {
		t.Errorf("%d interfaces and listeners are left", left)
	}
}

func TestTargetsThatCannotBeReachedAreRefused(t *testing.T) {
	w := newWorld(t)
	g := do(w, w.createTargetGroup, addresses("workloads")).TargetGroups[0].TargetGroupArn
	for _, c := range []struct{ id, zone, text string }{
		{"i-0123456789abcdef0", "", "not a valid IPv4 address"},
		{"fd00::1", "", "not a valid IPv4 address"},
		{"10.0.77.1", "", "not within a subnet"},
		{"8.8.8.8", "all", "must be within the VPC's CIDR blocks"},
		{"192.168.0.1", "", "must be 'all'"},
		{"10.0.1.9", "us-west-2b", "is not that of"},
	} {
		refused(w, w.registerTargets, RegisterTargetsInput{TargetGroupArn: g, Targets: []TargetDescription{{Id: &c.id, AvailabilityZone: none(c.zone)}}}, "InvalidTarget", c.text)
	}
	do(w, w.registerTargets, RegisterTargetsInput{TargetGroupArn: g, Targets: []TargetDescription{
		{Id: new("10.0.1.9")}, {Id: new("10.0.1.9"), Port: new(int64(9090))}, {Id: new("192.168.0.1"), AvailabilityZone: new("all")}}})
	do(w, w.deregisterTargets, DeregisterTargetsInput{TargetGroupArn: g, Targets: []TargetDescription{{Id: new("10.0.1.9"), Port: new(int64(8080))}}})
	out, err := w.describeTargetHealth(w.store.View(), &api.Call{}, &DescribeTargetHealthInput{TargetGroupArn: g})
	if err != nil || len(out.TargetHealthDescriptions) != 2 || *out.TargetHealthDescriptions[0].Target.Port != 9090 || *out.TargetHealthDescriptions[0].TargetHealth.State != "unused" {
		t.Errorf("targets are %+v, %v", out, err)
	}
}

func none(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func TestTargetGroupsThatCannotBeAreRefused(t *testing.T) {
	w := newWorld(t)
	with := func(change func(*CreateTargetGroupInput)) CreateTargetGroupInput {
		in := addresses("one")
		change(&in)
		return in
	}
	for _, c := range []struct {
		in         CreateTargetGroupInput
		code, text string
	}{
		{with(func(in *CreateTargetGroupInput) { in.TargetType = new("lambda") }), "UnsupportedOperation", "target type lambda"},
		{with(func(in *CreateTargetGroupInput) { in.Protocol = new("UDP") }), "UnsupportedOperation", "protocol UDP"},
		{with(func(in *CreateTargetGroupInput) { in.Port = nil }), "ValidationError", "port must be specified"},
		{with(func(in *CreateTargetGroupInput) { in.VpcId = new("vpc-00000000000000099") }), "ValidationError", "is not found"},
		{with(func(in *CreateTargetGroupInput) { in.HealthCheckProtocol = new("HTTP") }), "UnsupportedOperation", "Health checks with protocol HTTP"},
		{with(func(in *CreateTargetGroupInput) { in.HealthCheckPort = new("0") }), "ValidationError", "traffic-port"},
		{with(func(in *CreateTargetGroupInput) {
			in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = new(int64(5)), new(int64(6))
		}), "ValidationError", "smaller than or equal"},
	} {
		refused(w, w.createTargetGroup, c.in, c.code, c.text)
	}
	g := do(w, w.createTargetGroup, addresses("one")).TargetGroups[0].TargetGroupArn
	for key, bad := range map[string]string{"stickiness.enabled": "true", "preserve_client_ip.enabled": "true", deregistration: "4000", "no.such": "1"} {
		refused(w, w.modifyTargetGroupAttributes, ModifyTargetGroupAttributesInput{TargetGroupArn: g,
			Attributes: []TargetGroupAttribute{{Key: &key, Value: &bad}}}, "InvalidConfigurationRequest", "not supported in this region")
	}
}

func TestGroupsOfALoadBalancerCannotComeOrGo(t *testing.T) {
	w := newWorld(t)
	bare := do(w, w.createLoadBalancer, plain("bare", front)).LoadBalancers[0].LoadBalancerArn
	in := plain("guarded", front)
	in.SecurityGroups = []string{group}
	guarded := do(w, w.createLoadBalancer, in).LoadBalancers[0].LoadBalancerArn
	refused(w, w.setSecurityGroups, SetSecurityGroupsInput{LoadBalancerArn: bare, SecurityGroups: []string{group}}, "InvalidConfigurationRequest", "after its creation")
	refused(w, w.setSecurityGroups, SetSecurityGroupsInput{LoadBalancerArn: guarded}, "InvalidConfigurationRequest", "after its creation")
	out := do(w, w.setSecurityGroups, SetSecurityGroupsInput{LoadBalancerArn: guarded, SecurityGroups: []string{group}, EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: new("off")})
	if *out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != "off" {
		t.Errorf("groups are enforced: %s", *out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic)
	}
}

func TestALoadBalancerMovesToOtherSubnets(t *testing.T) {
	w := newWorld(t)
	b := do(w, w.createLoadBalancer, plain("inner", front)).LoadBalancers[0].LoadBalancerArn
	out := do(w, w.setSubnets, SetSubnetsInput{LoadBalancerArn: b, Subnets: []string{back, front}})
	if len(out.AvailabilityZones) != 2 {
		t.Errorf("zones are %+v", out.AvailabilityZones)
	}
	do(w, w.setSubnets, SetSubnetsInput{LoadBalancerArn: b, Subnets: []string{back}})
	left := state.List[*resource.NetworkInterface](w.store.View())
	if len(left) != 1 || left[0].SubnetID != back || left[0].InterfaceType != "network_load_balancer" {
		t.Errorf("interfaces are %+v", left)
	}
	refused(w, w.setSubnets, SetSubnetsInput{LoadBalancerArn: b, Subnets: []string{abroad}}, "InvalidConfigurationRequest", "same VPC")
}

func TestAnInstanceIsATargetWhileItRuns(t *testing.T) {
	w := newWorld(t)
	w.config.Health = func(_ resource.TargetGroupARN, t resource.Target) string { return "healthy" }
	put := func(id resource.InstanceID, vpc resource.VPCID, condition string) {
		if _, err := w.store.Update(func(tx *state.Tx) error {
			tx.Put(&resource.Instance{ID: id, VPCID: vpc, State: condition})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	put("i-00000000000000001", vpcA, resource.InstanceRunning)
	put("i-00000000000000002", vpcA, resource.InstanceStopped)
	put("i-00000000000000003", vpcB, resource.InstanceRunning)
	in := addresses("machines")
	in.TargetType = nil
	g := do(w, w.createTargetGroup, in).TargetGroups[0].TargetGroupArn
	register := func(id string) RegisterTargetsInput {
		return RegisterTargetsInput{TargetGroupArn: g, Targets: []TargetDescription{{Id: &id}}}
	}
	refused(w, w.registerTargets, register("i-00000000000000002"), "InvalidTarget", "not in a running state")
	refused(w, w.registerTargets, register("i-00000000000000003"), "InvalidTarget", "not in the target group VPC")
	refused(w, w.registerTargets, register("10.0.1.9"), "InvalidTarget", "not valid instances")
	do(w, w.registerTargets, register("i-00000000000000001"))
	out, err := w.describeTargetHealth(w.store.View(), &api.Call{}, &DescribeTargetHealthInput{TargetGroupArn: g})
	if err != nil || len(out.TargetHealthDescriptions) != 1 || *out.TargetHealthDescriptions[0].Target.Id != "i-00000000000000001" {
		t.Errorf("targets are %+v, %v", out, err)
	}
	do(w, w.deregisterTargets, DeregisterTargetsInput{TargetGroupArn: g, Targets: []TargetDescription{{Id: new("i-00000000000000001")}}})
}
