package linux

import (
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

func TestEveryDropOfIPv6IsToldWithWhatDecided(t *testing.T) {
	t.Parallel()
	h := &heard{}
	d, err := New(Config{Dropped: h.tell, Skipped: func(resource.VPCID) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	w := &world{&Region{}, t, d}
	v := w.VPC("a", "10.0.0.0/16")
	v.SpeakIPv6("2600:1f14:1:100::/56")
	one, two := v.Subnet6("one", "10.0.1.0/24", "2600:1f14:1:101::/64"), v.Subnet6("two", "10.0.2.0/24", "2600:1f14:1:102::/64")
	RouteTo(one, "::/0", topology.TargetEgressOnly, v.EgressOnly("a"))
	RouteTo(one, "2001:db8:9::/48", topology.TargetENI, "eni-gone")
	v.Group("clients", nil, []topology.Rule{Allow(6, 1000, 2000, "::/0")})
	v.Group("servers", []topology.Rule{Allow(6, 1000, 1900, "::/0"), Allow(6, 1, 65535, "0.0.0.0/0")}, nil)
	client, server := v.ENI6("client", one, "10.0.1.10", web6, "sg-clients"), v.ENI6("server", two, "10.0.2.10", db6, "sg-servers")
	v.ACL("two", []topology.Entry{Entry(50, false, 6, 1002, 1002, "::/0"), Entry(60, true, 6, 1003, 65535, "::/0")}, nil)
	two.NetworkACLID = "acl-two"
	w.apply()
	place, outside := w.attach(client), w.sit(dataplane.Seat{IPv6: true})
	for _, row := range []struct {
		from   dataplane.Attachment
		to     string
		port   uint16
		stage  dataplane.Stage
		egress bool
		eni    resource.NetworkInterfaceID
		entry  string
	}{
		{place, to6(db6, "900"), 900, dataplane.StageGroups, true, client.ID, ""},
		{place, to6(db6, "1000"), 1000, dataplane.StageACL, false, server.ID, "*"},
		{place, to6(db6, "1002"), 1002, dataplane.StageACL, false, server.ID, "50"},
		{place, to6(db6, "1950"), 1950, dataplane.StageGroups, false, server.ID, ""},
		{place, to6("2001:db8:9::1", "1100"), 1100, dataplane.StageRoute, true, client.ID, ""},
		{place, to6("2600:1f14:1:101::99", "1101"), 1101, dataplane.StageRoute, true, client.ID, ""},
		{outside, to6(web6, "1102"), 1102, dataplane.StageEgressOnly, false, client.ID, ""},
	} {
		Probe(row.from, row.to, "tcp", patience)
		got := h.of(t, row.port)
		if got.Stage != row.stage || got.Egress != row.egress || got.ENI != row.eni || got.Entry != row.entry {
			t.Errorf("%s: told %+v, want %+v", row.to, got, row)
		}
		if got.Protocol != 6 || got.Destination.String() != row.to || got.Bytes < 60 {
			t.Errorf("%s: the packet was read as %+v", row.to, got)
		}
	}
}
