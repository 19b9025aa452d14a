package flow

import (
	"net/netip"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
)

// pair is a VPC with two interfaces and S3 on the internet.
func pair() *topology.Topology {
	v := &topology.VPC{ID: "vpc-1", ENIs: []*topology.ENI{
		{ID: "eni-a", VPCID: "vpc-1", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.4")}},
		{ID: "eni-b", VPCID: "vpc-1", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.5")}},
	}}
	return &topology.Topology{VPCs: []*topology.VPC{v}, Services: []*topology.PublicService{
		{Service: "s3", Names: []topology.Name{{Addresses: []netip.Addr{netip.MustParseAddr("52.218.0.1")}}}}}}
}

type seen struct {
	eni      string
	egress   bool
	accepted bool
	path     int
	why      string
}

func views(sights []Sight) []seen {
	var out []seen
	for _, s := range sights {
		out = append(out, seen{string(s.ENI.ID), s.Egress, s.Accepted, s.Path, s.Decision.Component.ID})
	}
	return out
}

// Both ends of a flow see it, each as it is to them; what is refused at one end left the other.
func TestWhoSeesWhat(t *testing.T) {
	top := pair()
	a, b, igw := dataplane.Link{ENI: "eni-a"}, dataplane.Link{ENI: "eni-b"}, dataplane.Link{InternetGateway: "igw-1"}
	why := Decision{Component: explain.Component{ID: "object"}}
	dropped := func(stage dataplane.Stage, egress bool, decided, sender string) []Sight {
		d := dataplane.Drop{VPC: "vpc-1", Stage: stage, Egress: egress, Time: time.Now()}
		if decided == "b" {
			d.ENI = "eni-b"
		} else if decided == "a" {
			d.ENI = "eni-a"
		}
		if sender == "a" {
			d.Sender = "eni-a"
		}
		return Dropped(top, d, why)
	}
	passed := func(from, to dataplane.Link) []Sight {
		return Passed(top, dataplane.Flow{VPC: "vpc-1", Network: top.VPCs[0], From: from, To: to, Packets: 1})
	}
	for name, c := range map[string]struct {
		got  []Sight
		want []seen
	}{
		"passed":                       {passed(a, b), []seen{{"eni-a", true, true, 1, ""}, {"eni-b", false, true, 0, ""}}},
		"to the internet":              {passed(a, igw), []seen{{"eni-a", true, true, 8, ""}}},
		"from the internet":            {passed(igw, a), []seen{{"eni-a", false, true, 0, ""}}},
		"to a gateway endpoint":        {passed(a, dataplane.Link{GatewayEndpoint: "vpce-1"}), []seen{{"eni-a", true, true, 7, ""}}},
		"to a peer":                    {passed(a, dataplane.Link{Peering: "pcx-1"}), []seen{{"eni-a", true, true, 4, ""}}},
		"group of the sender":          {dropped(dataplane.StageGroups, true, "a", "a"), []seen{{"eni-a", true, false, 0, "object"}}},
		"ACL of the sender":            {dropped(dataplane.StageACL, true, "a", "a"), []seen{{"eni-a", true, false, 0, "object"}}},
		"group of the receiver":        {dropped(dataplane.StageGroups, false, "b", "a"), []seen{{"eni-a", true, true, 1, ""}, {"eni-b", false, false, 0, "object"}}},
		"group, from the internet":     {dropped(dataplane.StageGroups, false, "b", ""), []seen{{"eni-b", false, false, 0, "object"}}},
		"no route":                     {dropped(dataplane.StageRoute, true, "a", "a"), []seen{{"eni-a", true, true, 0, "object"}}},
		"destination check":            {dropped(dataplane.StageDestination, false, "b", "a"), []seen{{"eni-a", true, true, 0, "object"}}},
		"an address that is not one's": {dropped(dataplane.StageSource, true, "a", "a"), nil},
	} {
		got := views(c.got)
		if len(got) != len(c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: got %+v, want %+v", name, got[i], c.want[i])
			}
		}
	}
	s := Passed(top, dataplane.Flow{Network: top.VPCs[0], From: a, To: igw, Source: netip.MustParseAddrPort("10.0.0.4:1"), Destination: netip.MustParseAddrPort("52.218.0.1:443")})
	if len(s) != 1 || s[0].DestinationService != "S3" || s[0].SourceService != "" {
		t.Errorf("got %+v", s)
	}
}
