package explain

import (
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
)

const (
	nlb  = "arn:aws:elasticloadbalancing:us-west-2:000000000000:loadbalancer/net/inner/1"
	name = "vpce-0c-ab12cd34.vpce-svc-1.us-west-2.vpce.amazonaws.com"
)

// endpointService adds a provider's VPC with the same addresses, a load balancer without groups before a workload on
// port 8080, and an endpoint in the function's VPC.
func (n network) endpointService(state string) {
	everything := []resource.NetworkACLEntry{entry(100, ingress, true, -1, "0.0.0.0/0", 0, 0), entry(100, egress, true, -1, "0.0.0.0/0", 0, 0)}
	n.put(
		&resource.VPC{ID: "vpc-2", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.0.0.0/16")}}, EnableDNSSupport: true},
		&resource.NetworkACL{ID: "acl-2", VPCID: "vpc-2", IsDefault: true, Entries: everything},
		&resource.Subnet{ID: "subnet-far", VPCID: "vpc-2", CIDR: pfx("10.0.1.0/24"), AvailabilityZone: "us-west-2a", NetworkACLID: "acl-2"},
		&resource.RouteTable{ID: "rtb-far", VPCID: "vpc-2", Associations: []resource.RouteTableAssociation{{Main: true}}},
		&resource.SecurityGroup{ID: "sg-work", VPCID: "vpc-2", Rules: []resource.SecurityGroupRule{rule("sgr-work-in", ingress, TCP, 8080, "10.0.1.5/32")}},
		&resource.LoadBalancer{ARN: nlb, Name: "inner", DNSName: "inner-1.elb.us-west-2.amazonaws.com", VPCID: "vpc-2",
			Nodes: []resource.LoadBalancerNode{{SubnetID: "subnet-far", AvailabilityZone: "us-west-2a", NetworkInterfaceID: "eni-nlb"}}},
		&resource.TargetGroup{ARN: "arn:tg", Name: "work", VPCID: "vpc-2", Port: 8080, Check: resource.HealthCheck{Interval: time.Second},
			Targets: []resource.Target{{Address: ip("10.0.1.9"), Port: 8080, AvailabilityZone: "us-west-2a"}}},
		&resource.Listener{ARN: "arn:listener", LoadBalancer: nlb, Port: 5432, TargetGroup: "arn:tg"},
		&resource.EndpointService{ID: "vpce-svc-1", LoadBalancers: []resource.LoadBalancerARN{nlb}},
		&resource.SecurityGroup{ID: "sg-ep", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{rule("sgr-ep-in", ingress, TCP, 5432, "10.0.0.0/16")}},
		&resource.VPCEndpoint{
			ID: "vpce-0c", VPCID: "vpc-1", Type: resource.EndpointTypeInterface, ServiceName: "com.amazonaws.vpce.us-west-2.vpce-svc-1",
			State: state, DNSSuffix: "ab12cd34", NetworkInterfaceIDs: []resource.NetworkInterfaceID{"eni-ep"},
		})
	n.eni("ep", "private", "10.0.1.20", resource.InterfaceTypeVPCEndpoint, "sg-ep")
	for id, e := range map[resource.NetworkInterfaceID]*resource.NetworkInterface{
		"eni-nlb":  n.eni("nlb", "far", "10.0.1.5", resource.InterfaceTypeLoadBalancer),
		"eni-work": n.eni("work", "far", "10.0.1.9", resource.InterfaceTypeInterface, "sg-work"),
	} {
		e.ID, e.VPCID = id, "vpc-2"
	}
}

func change[T any](n network, key string, f func(*T)) {
	c := *any(n[key]).(*T)
	f(&c)
	n.put(any(&c).(interface {
		Kind() resource.Kind
		Key() string
	}))
}

func TestAFlowGoesOnBehindALoadBalancer(t *testing.T) {
	for _, c := range []struct {
		name      string
		build     func(network)
		port      uint16
		code, at  string
		text, fix string
	}{
		{"all open", func(network) {}, 5432, "", "", "which sees 10.0.1.5", ""},
		{"the endpoint's group", func(n network) {
			n.put(&resource.SecurityGroup{ID: "sg-ep", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{rule("sgr-ep-in", ingress, TCP, 5431, "10.0.0.0/16")}})
		}, 5432, "ENI_SG_RULES_MISMATCH", "sg-ep", "", ""},
		{"not accepted", func(n network) {
			change(n, "vpce-0c", func(e *resource.VPCEndpoint) { e.State = resource.EndpointPendingAcceptance })
		}, 5432, "x:VPCE_NOT_ACCEPTED", "vpce-0c", "waits for the acceptance", "accept-vpc-endpoint-connections"},
		{"rejected", func(n network) {
			change(n, "vpce-0c", func(e *resource.VPCEndpoint) { e.State = resource.EndpointRejected })
		}, 5432, "x:VPCE_NOT_ACCEPTED", "vpce-0c", "was rejected", ""},
		{"another port", func(n network) {
			n.put(&resource.SecurityGroup{ID: "sg-ep", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{rule("sgr-ep-in", ingress, -1, 0, "10.0.0.0/16")}})
		}, 5433, "ELBV2_LISTENERS_MISMATCH", nlb, "listeners on TCP 5432", ""},
		{"no targets", func(n network) {
			change(n, "arn:tg", func(g *resource.TargetGroup) { g.Targets = nil })
		}, 5432, "ELBV2_LISTENER_HAS_NO_TG", nlb, "has no targets", ""},
		{"targets elsewhere", func(n network) {
			change(n, "arn:tg", func(g *resource.TargetGroup) {
				g.Targets = []resource.Target{{Address: ip("10.0.1.9"), Port: 8080, AvailabilityZone: "us-west-2b"}}
			})
		}, 5432, "ELBV2_NO_TARGETS_IN_AZ", nlb, "across zones", ""},
		{"targets elsewhere, across zones", func(n network) {
			change(n, "arn:tg", func(g *resource.TargetGroup) {
				g.Targets = []resource.Target{{Address: ip("10.0.1.9"), Port: 8080, AvailabilityZone: "us-west-2b"}}
				g.Attributes = map[string]string{"load_balancing.cross_zone.enabled": "true"}
			})
		}, 5432, "", "", "", ""},
		{"the target's group", func(n network) {
			n.put(&resource.SecurityGroup{ID: "sg-work", VPCID: "vpc-2", Rules: []resource.SecurityGroupRule{rule("sgr-work-in", ingress, TCP, 8080, "10.0.1.6/32")}})
		}, 5432, "ENI_SG_RULES_MISMATCH", "sg-work", "", ""},
		{"the load balancer's group", func(n network) { n.guard("sgr-nlb-in", "10.0.9.0/24", false) }, 5432, "ENI_SG_RULES_MISMATCH", "sg-nlb", "", ""},
		{"the load balancer's group lets the consumer in", func(n network) { n.guard("sgr-nlb-in", "10.0.1.10/32", false) }, 5432, "", "", "", ""},
		{"the load balancer's group, not asked", func(n network) { n.guard("sgr-nlb-in", "10.0.9.0/24", true) }, 5432, "", "", "", ""},
		{"the zone was left", func(n network) {
			change(n, nlb, func(b *resource.LoadBalancer) { b.Nodes = nil })
		}, 5432, "VPCE_SERVICE_NOT_INSTALLED_IN_AZ", "vpce-0c", "no load balancer in us-west-2a", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNetwork()
			n.endpointService(resource.EndpointAvailable)
			c.build(n)
			trace := Explain(n.resolve(t), Flow{From: "eni-fn", Name: name, Port: c.port})
			if trace.Code != c.code || trace.Component.ID != c.at || trace.Reachable != (c.code == "") || !strings.Contains(trace.Summary, c.text) {
				t.Errorf("got %s at %s: %s\nwant %s at %s: ...%s...", trace.Code, trace.Component, trace.Summary, c.code, c.at, c.text)
			}
			if c.fix != "" && (len(trace.Remedies) == 0 || !strings.Contains(trace.Remedies[0].CLI, c.fix)) {
				t.Errorf("remedies are %+v", trace.Remedies)
			}
		})
	}
}

// guard gives the load balancer a group.
func (n network) guard(id, from string, trusts bool) {
	n.put(&resource.SecurityGroup{ID: "sg-nlb", VPCID: "vpc-2", Rules: []resource.SecurityGroupRule{
		rule(id, ingress, TCP, 5432, from), rule("sgr-nlb-out", egress, -1, 0, "0.0.0.0/0")}})
	change(n, "eni-nlb", func(e *resource.NetworkInterface) { e.GroupIDs = []resource.SecurityGroupID{"sg-nlb"} })
	change(n, nlb, func(b *resource.LoadBalancer) {
		b.GroupIDs, b.TrustsPrivateLink = []resource.SecurityGroupID{"sg-nlb"}, trusts
	})
}
