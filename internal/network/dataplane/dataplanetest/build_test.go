package dataplanetest

import (
	"encoding/json"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/google/go-cmp/cmp"
)

func TestATopologyDoesNotChangeWithItsRegion(t *testing.T) {
	r := &Region{}
	v := r.VPC("a", "10.0.0.0/16")
	s := v.Subnet("one", "10.0.1.0/24")
	e := v.ENI("one", s, "10.0.1.10")
	n := v.NATGateway("n", s, "10.0.1.5", "44.0.0.5")
	first := r.Topology()
	before := render(t, first)

	Associate(e, "44.0.0.1")
	RouteTo(s, "0.0.0.0/0", topology.TargetInternetGateway, "igw-a")
	v.GatewayEndpoint("s3", v.PrefixList("s3", "192.0.2.0/24"), s)
	v.SecurityGroups[0].Ingress = nil
	v.NetworkACLs[0].Egress = append(v.NetworkACLs[0].Egress, Entry(200, false, 6, 1, 2, "10.0.0.0/8"))
	n.Public = false
	e.GroupIDs = nil
	v.RemoveENI(e)
	r.Remove(v)
	if diff := cmp.Diff(before, render(t, first)); diff != "" {
		t.Errorf("(-before +after)\n%s", diff)
	}
	if got := r.Topology(); len(got.VPCs) != 0 {
		t.Errorf("the region still has %v", got.VPCs)
	}
}

func render(t *testing.T, v *topology.Topology) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMembersAreTheAddressesOfAllWhoCarryTheGroup(t *testing.T) {
	r := &Region{}
	v := r.VPC("a", "10.0.0.0/16")
	s := v.Subnet("one", "10.0.1.0/24")
	v.ENI("b", s, "10.0.1.20")
	v.ENI("a", s, "10.0.1.10")
	g := r.Topology().VPCs[0].SecurityGroup(v.Open())
	if len(g.Members) != 2 || g.Members[0].String() != "10.0.1.10" || g.Members[1].String() != "10.0.1.20" {
		t.Errorf("got %v", g.Members)
	}
}
