package linux

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestPlansAreAsRecorded(t *testing.T) {
	for name, build := range map[string]func(*Region){
		"empty":     func(r *Region) { r.VPC("a", "10.0.0.0/16") },
		"groups":    groupsRegion,
		"gateways":  gatewaysRegion,
		"malformed": malformedRegion,
		"ipv6":      ipv6Region,
	} {
		t.Run(name, func(t *testing.T) {
			r := &Region{}
			build(r)
			compareGolden(t, name, mustPlan(t, r, newNumbers()).String())
		})
	}
}

func TestTheOtherRulesAreAsRecorded(t *testing.T) {
	for name, r := range map[string]*ruleset{
		"internet":    internetRules(),
		"nat-gateway": natRules(addr("10.0.1.5")),
		"seats":       interfaceSeats(eniPlan{addresses: []netip.Addr{addr("10.0.1.10")}, kind: resource.InterfaceTypeLambda}).rules,
	} {
		t.Run(name, func(t *testing.T) { compareGolden(t, name, r.String()) })
	}
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the plan changed (-recorded +planned); if that is meant, run the test with -update:\n%s", diff)
	}
}

// Every form of a rule must be one that the kernel takes, from nothing and from every other set of rules.
func TestTheKernelTakesEveryPlan(t *testing.T) {
	w := newWorld(t)
	builds := []func(*Region){groupsRegion, gatewaysRegion, malformedRegion, ipv6Region, groupsRegion, malformedRegion, gatewaysRegion, ipv6Region}
	for _, build := range builds {
		w.Region = &Region{}
		build(w.Region)
		w.apply()
	}
}

func mustPlan(t *testing.T, r *Region, n *numbers) *plan {
	t.Helper()
	v := r.Topology().VPCs[0]
	n.assign(v)
	p, err := makePlan(v, n)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// groupsRegion has every form of a rule and of an ACL's entry.
func groupsRegion(r *Region) {
	v := r.VPC("a", "10.0.0.0/16")
	s := v.Subnet("one", "10.0.1.0/24")
	v.PrefixList("x", "192.0.2.0/25", "192.0.2.128/25", "203.0.113.0/24", "203.0.113.7/32", "255.255.255.0/24")
	v.Group("web", []topology.Rule{
		Allow(6, 80, 80, "0.0.0.0/0"), Allow(6, 0, 65535, "10.0.1.0/24"), Allow(17, 1000, 2000, "sg-db"),
		Allow(1, 8, 0, "10.0.0.0/8"), Allow(1, 3, -1, "10.0.0.0/8"), Allow(1, -1, -1, "10.0.0.1/32"), Allow(50, -1, -1, "10.0.0.0/8"),
	}, []topology.Rule{Allow(resource.AllProtocols, -1, -1, "0.0.0.0/0"), Allow(6, 443, 443, "pl-x")})
	v.Group("db", []topology.Rule{Allow(6, 5432, 5432, "sg-web")}, nil)
	v.ACL("one", []topology.Entry{
		Entry(90, false, 6, 22, 22, "0.0.0.0/0"), Entry(100, true, 6, 1024, 65535, "0.0.0.0/0"), Entry(110, true, 1, 8, -1, "10.0.0.0/8"),
	}, []topology.Entry{Entry(100, true, resource.AllProtocols, -1, -1, "0.0.0.0/0")})
	s.NetworkACLID = "acl-one"
	v.ENI("web", s, "10.0.1.10", "sg-web", "sg-db")
	v.ENI("web2", s, "10.0.1.11", "sg-db", "sg-web")
	db := v.ENI("db", s, "10.0.1.20", "sg-db")
	db.SourceDestCheck = false
	db.Addresses = append(db.Addresses, addr("10.0.1.21"))
}

// gatewaysRegion has every kind of gateway and route.
func gatewaysRegion(r *Region) {
	v := r.VPC("a", "10.0.0.0/16")
	v.CIDRs = append(v.CIDRs, prefix("10.1.0.0/16"))
	v.Attach("a")
	public, private := v.Subnet("public", "10.0.1.0/24"), v.Subnet("private", "10.0.2.0/24")
	RouteTo(public, "0.0.0.0/0", topology.TargetInternetGateway, "igw-a")
	RouteTo(public, "172.16.0.0/12", topology.TargetInternetGateway, "igw-other")
	v.NATGateway("a", public, "10.0.1.5", "44.0.0.5")
	private2 := v.NATGateway("p", public, "10.0.1.6", "44.0.0.6")
	private2.Public = false
	RouteTo(private, "0.0.0.0/0", topology.TargetNATGateway, "nat-a")
	RouteTo(private, "172.16.0.0/12", topology.TargetNATGateway, "nat-gone")
	v.GatewayEndpoint("s3", v.PrefixList("s3", "52.218.0.0/17", "3.5.80.0/21"), private)
	appliance := v.ENI("appliance", public, "10.0.1.7")
	appliance.SourceDestCheck = false
	RouteTo(private, "10.0.1.0/24", topology.TargetENI, "eni-appliance")
	private.Routes = append(private.Routes, topology.Route{Destination: prefix("198.51.100.0/24"), Kind: topology.TargetENI, TargetID: "eni-gone", Blackhole: true})
	Associate(v.ENI("bastion", public, "10.0.1.8"), "44.0.0.8")
	v.ENI("worker", private, "10.0.2.8")
}

// malformedRegion refers to what is not there. All of it must be closed.
func malformedRegion(r *Region) {
	v := r.VPC("a", "10.0.0.0/16")
	s := v.Subnet("one", "10.0.1.0/24")
	s.NetworkACLID = "acl-gone"
	v.Group("web", []topology.Rule{
		Allow(6, 80, 80, "sg-gone"), Allow(6, 80, 80, "pl-gone"), Allow(6, 80, 80, "2001:db8::/32"), {Protocol: 6, FromPort: 80, ToPort: 80},
	}, nil)
	v.ENI("none", s, "10.0.1.9").GroupIDs = nil
	v.ENI("gone", s, "10.0.1.10", "sg-gone")
	v.ENI("web", s, "10.0.1.11", "sg-web")
}

func TestEqualTopologiesGiveEqualPlans(t *testing.T) {
	r := &Region{}
	gatewaysRegion(r)
	n := newNumbers()
	first := mustPlan(t, r, n)
	for range 10 {
		again := mustPlan(t, r, n)
		if diff := cmp.Diff(first.String(), again.String()); diff != "" {
			t.Fatalf("plans differ:\n%s", diff)
		}
		if b := difference(vpcTable, first.rules, again.rules); len(b.messages) != 0 {
			t.Fatalf("the difference of equal rules has %d messages, first %q", len(b.messages), b.messages[0].what)
		}
	}
}

func TestANumberIsNeverGivenTwice(t *testing.T) {
	r := &Region{}
	v := r.VPC("a", "10.0.0.0/16")
	s := v.Subnet("one", "10.0.1.0/24")
	e := v.ENI("one", s, "10.0.1.10")
	n := newNumbers()
	n.assign(r.Topology().VPCs[0])
	eni, subnet := n.enis[e.ID], n.subnets[s.ID]
	v.RemoveENI(e)
	v.Subnets = nil
	n.assign(r.Topology().VPCs[0])
	s = v.Subnet("one", "10.0.1.0/24")
	v.ENI("one", s, "10.0.1.10")
	n.assign(r.Topology().VPCs[0])
	if n.enis[e.ID] == eni || n.subnets[s.ID] == subnet {
		t.Errorf("interface %s and subnet %d came back", eni, subnet)
	}
}

func TestPlansOfImpossibleInterfacesAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*topology.ENI){
		"no address":              func(e *topology.ENI) { e.Addresses = nil },
		"address of another":      func(e *topology.ENI) { e.Addresses[0] = addr("10.0.2.10") },
		"subnet of another":       func(e *topology.ENI) { e.SubnetID = "subnet-x" },
		"address of another kind": func(e *topology.ENI) { e.Addresses[0] = addr("::1") },
	} {
		t.Run(name, func(t *testing.T) {
			r := &Region{}
			v := r.VPC("a", "10.0.0.0/16")
			spoil(v.ENI("one", v.Subnet("one", "10.0.1.0/24"), "10.0.1.10"))
			n := newNumbers()
			topo := r.Topology().VPCs[0]
			n.assign(topo)
			if p, err := makePlan(topo, n); err == nil {
				t.Errorf("planned:\n%s", p)
			}
		})
	}
}

func TestDifferencesNameOnlyWhatChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*VPC)
		want   []string
	}{
		"a rule": {
			func(v *VPC) { v.SecurityGroup("sg-db").Ingress = []topology.Rule{Allow(6, 3306, 3306, "sg-web")} },
			[]string{
				"flush chain sg_db_in",
				"add rule to sg_db_in: ip saddr @members_sg_web meta l4proto tcp th dport 3306 accept",
			},
		},
		"a membership": {
			func(v *VPC) { v.ENIs[2].GroupIDs = []resource.SecurityGroupID{"sg-web", "sg-db"} },
			[]string{
				"delete elements from groups_in (first: e1 : goto groups_f4192186dcba5ffb_in)",
				"delete elements from groups_out (first: e1 : goto groups_f4192186dcba5ffb_out)",
				"add elements to groups_in (first: e1 : goto groups_d739da377de89c1a_in)",
				"add elements to groups_out (first: e1 : goto groups_d739da377de89c1a_out)",
				"add elements to members_sg_web (first: 10.0.1.20)",
				"flush chain groups_f4192186dcba5ffb_in",
				"flush chain groups_f4192186dcba5ffb_out",
				"delete chain groups_f4192186dcba5ffb_in",
				"delete chain groups_f4192186dcba5ffb_out",
			},
		},
		"a prefix list": {
			func(v *VPC) { v.PrefixLists[0].Prefixes = nil },
			[]string{"flush set prefixes_pl_x"},
		},
		"nothing": {func(*VPC) {}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Region{}
			groupsRegion(r)
			n := newNumbers()
			have := mustPlan(t, r, n)
			c.change(r.First())
			b := difference(vpcTable, have.rules, mustPlan(t, r, n).rules)
			var got []string
			for _, m := range b.messages {
				got = append(got, m.what)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
