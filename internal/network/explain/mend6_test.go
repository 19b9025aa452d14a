package explain

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// closed6 is a VPC that speaks IPv6, and in which nothing lets it: no rule, no entry, no route and no gateway.
func closed6(n network) {
	six(n)
	n.put(&resource.SecurityGroup{ID: "sg-six", VPCID: "vpc-1"}, &resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1", Entries: []resource.NetworkACLEntry{
		entry(100, ingress, true, -1, "0.0.0.0/0", 0, 0), entry(100, egress, true, -1, "0.0.0.0/0", 0, 0),
	}})
}

func TestTheInternetOfIPv6IsReachedByANewEgressOnlyGateway(t *testing.T) {
	n := newNetwork()
	closed6(n)
	f := Flow{From: "eni-six", To: ip("2600:1fa0:4000:8049:345c:b149::"), Port: 443}
	p := Mend(n.resolve(t), f)
	var cli, hcl []string
	for _, r := range p.Fix() {
		cli, hcl = append(cli, r.CLI), append(hcl, r.Terraform)
	}
	if diff := cmp.Diff([]string{
		"aws ec2 authorize-security-group-egress --group-id sg-six --ip-permissions 'IpProtocol=tcp,FromPort=443,ToPort=443,Ipv6Ranges=[{CidrIpv6=::/0}]'",
		"aws ec2 create-network-acl-entry --network-acl-id acl-1 --egress --rule-number 110 --protocol tcp --port-range From=443,To=443 --ipv6-cidr-block ::/0 --rule-action allow",
		"EIGW_1=$(aws ec2 create-egress-only-internet-gateway --vpc-id vpc-1 --query EgressOnlyInternetGateway.EgressOnlyInternetGatewayId --output text)",
		"aws ec2 create-route --route-table-id rtb-private --destination-ipv6-cidr-block ::/0 --egress-only-internet-gateway-id $EIGW_1",
		"aws ec2 create-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 110 --protocol tcp --port-range From=1024,To=65535 --ipv6-cidr-block ::/0 --rule-action allow",
	}, cli); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	for _, want := range []string{
		"resource \"aws_egress_only_internet_gateway\" \"vpc_1\" {\n  vpc_id = \"vpc-1\"\n}",
		"  egress_only_gateway_id      = aws_egress_only_internet_gateway.vpc_1.id", `  cidr_ipv6         = "::/0"`, `  ipv6_cidr_block = "::/0"`,
	} {
		if !strings.Contains(strings.Join(hcl, "\n"), want) {
			t.Errorf("Terraform lacks %s:\n%s", want, strings.Join(hcl, "\n"))
		}
	}
	if !p.Trace.Reachable || !slicesHas(p.Trace.Hops, "$EIGW_1") {
		t.Errorf("with all of it: %s", p.Trace)
	}
}

func TestAGatewayThatIsThereIsUsed(t *testing.T) {
	for id, attach := range map[string]func(network){
		"eigw-9": func(n network) { n.put(&resource.EgressOnlyGateway{ID: "eigw-9", VPCID: "vpc-1"}) },
		"igw-9":  func(n network) { n.put(&resource.InternetGateway{ID: "igw-9", VPCID: "vpc-1"}) },
	} {
		n := newNetwork()
		six(n)
		attach(n)
		p := Mend(n.resolve(t), Flow{From: "eni-six", To: ip("2600:1fa0:4000:8049:345c:b149::"), Port: 443})
		if len(p.Edits) != 1 || p.Edits[0].(SetRoute).Target != id {
			t.Errorf("%s: %+v", id, p.Edits)
		}
	}
}

func TestWhoHasNoIPv6AddressGetsAFreeOne(t *testing.T) {
	n := newNetwork()
	six(n)
	n.eni("four", "private", "10.0.1.67", resource.InterfaceTypeInterface, "sg-six")
	p := Mend(n.resolve(t), Flow{From: "eni-four", To: ip("2600:1f14:1:102::6"), Port: 443})
	if len(p.Edits) != 1 || p.Edits[0].Remedy().CLI != "aws ec2 assign-ipv6-addresses --network-interface-id eni-four --ipv6-addresses 2600:1f14:1:101::4" {
		t.Fatalf("edits %+v", p.Edits)
	}
	if p.Trace.SourceSeen != ip("2600:1f14:1:101::4") {
		t.Errorf("it is seen as %s", p.Trace.SourceSeen)
	}
}

func slicesHas(hops []Hop, id string) bool {
	for _, h := range hops {
		if h.Component.ID == id {
			return true
		}
	}
	return false
}
