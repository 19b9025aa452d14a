package explain

import (
	"fmt"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// BenchmarkExplain is one question, name included, answered with all its hops and remedies.
func BenchmarkExplain(b *testing.B) {
	n := newNetwork()
	n.internetGateway()
	n.natGateway()
	top := n.resolve(b)
	for b.Loop() {
		if trace := Explain(top, s3); !trace.Reachable {
			b.Fatal(trace)
		}
	}
}

// crowded is a VPC with so many interfaces in groups of ten, half of them behind a closed group, a NAT gateway and
// two endpoints.
func crowded(b *testing.B, interfaces int) *topology.Topology {
	n := newNetwork()
	n.internetGateway()
	n.natGateway()
	n.interfaceEndpoint(true)
	n.gatewayEndpoint("rtb-public")
	for i := range interfaces {
		subnet, third := "private", 1
		if i >= 240 {
			third = 10 + i/240
			subnet = fmt.Sprint("crowd", third)
			if i%240 == 0 {
				n.subnet(subnet, fmt.Sprintf("10.0.%d.0/24", third))
				n.route(subnet, "0.0.0.0/0", resource.RouteTarget{NATGatewayID: "nat-1"})
			}
		}
		group := resource.SecurityGroupID(fmt.Sprint("sg-", i/10))
		if i%10 == 0 {
			rules := []resource.SecurityGroupRule{
				{ID: resource.SecurityGroupRuleID(fmt.Sprint("sgr-self", i)), Protocol: -1, FromPort: -1, ToPort: -1, GroupID: group},
				rule(fmt.Sprint("sgr-out", i), egress, TCP, 443, "10.0.0.0/16"),
			}
			if i%20 == 0 {
				rules = append(rules, rule(fmt.Sprint("sgr-all", i), egress, -1, 0, "0.0.0.0/0"))
			}
			n.put(&resource.SecurityGroup{ID: group, VPCID: "vpc-1", Rules: rules})
		}
		n.eni(fmt.Sprintf("%04d", i), subnet, fmt.Sprintf("10.0.%d.%d", third, 11+i%240), resource.InterfaceTypeInterface, group)
	}
	delete(n, "eni-vpce")
	n.eni("vpce", "private", "10.0.1.253", resource.InterfaceTypeVPCEndpoint, "sg-vpce")
	return n.resolve(b)
}

// BenchmarkMend is culvert why among 1,000 interfaces: a way that is closed in several places, explained and mended.
func BenchmarkMend(b *testing.B) {
	top := crowded(b, 1000)
	f := Flow{From: "eni-0015", Name: "sts.us-west-2.amazonaws.com", Port: 443}
	for b.Loop() {
		Explain(top, f)
		if p := Mend(top, f); len(p.Edits) == 0 {
			b.Fatal(p.Blockers)
		}
	}
}

// BenchmarkMendFromNothing is the longest plan: a NAT gateway with all that it needs, among 1,000 interfaces.
func BenchmarkMendFromNothing(b *testing.B) {
	top := crowded(b, 1000)
	for _, v := range top.VPCs {
		v.NATGateways, v.InternetGateway = nil, ""
		for _, s := range v.Subnets {
			s.Routes = s.Routes[:1] // the local one
		}
	}
	f := Flow{From: "eni-0000", Internet: true, Port: 443}
	for b.Loop() {
		Explain(top, f)
		if p := Mend(top, f); len(p.Edits) < 5 {
			b.Fatal(p.Edits, p.Blockers)
		}
	}
}

// BenchmarkAllPairs asks for ten services from 1,000 interfaces.
func BenchmarkAllPairs(b *testing.B) {
	top := crowded(b, 1000)
	names := []string{
		"s3.us-west-2.amazonaws.com", "sts.us-west-2.amazonaws.com", "ec2.us-west-2.amazonaws.com", "lambda.us-west-2.amazonaws.com",
		"logs.us-west-2.amazonaws.com", "iam.amazonaws.com", "sts.amazonaws.com", "s3.amazonaws.com", "a.s3.us-west-2.amazonaws.com", "s3-control.us-west-2.amazonaws.com",
	}
	for b.Loop() {
		reached, asked := 0, 0
		for id, e := range top.ENIs {
			if e.Type != resource.InterfaceTypeInterface {
				continue
			}
			for _, name := range names {
				asked++
				if Explain(top, Flow{From: id, Name: name, Port: 443}).Reachable {
					reached++
				}
			}
		}
		if asked < 10_000 || reached == 0 || reached == asked {
			b.Fatalf("%d of %d reached", reached, asked)
		}
	}
}
