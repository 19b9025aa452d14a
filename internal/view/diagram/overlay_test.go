package diagram

import (
	"slices"
	"testing"

	"github.com/culvert-cloud/culvert/internal/view/cost"
	"github.com/google/go-cmp/cmp"
)

// loaded is the article's road by NAT with traffic of both its workloads, and something that was dropped.
func loaded(t testing.TB) Input {
	in := articleByNAT(t)
	in.Bytes, in.Money = true, true
	v := in.Topology.VPCs[0]
	nat := string(v.NATGateways[0].ID)
	in.Standing = map[string]cost.Money{nat: 36_500000}
	for _, e := range v.ENIs {
		if e.ID != v.NATGateways[0].ENI {
			in.Loads = append(in.Loads, Load{From: e.ID, VPC: v.ID, Via: nat, Service: "s3", Bytes: 617_283_945, USD: 22_500000})
		}
	}
	function := in.Functions[0].ENIs[0]
	in.Rejects = []Reject{{From: function, To: in.Loads[1].From, Packets: 17, Code: "ENI_SG_RULES_MISMATCH"}}
	in.Title = "What passed, what did not, and what it costs"
	return in
}

func badges(p *Picture) map[string]string {
	m := map[string]string{}
	for _, b := range p.Badges {
		e := b.edges[0]
		m[p.byKey[e.From].Kind+" > "+p.byKey[e.To].Kind] = b.Text
	}
	return m
}

func TestTrafficRejectsAndMoneyAreWrittenOnTheRoads(t *testing.T) {
	p := Draw(loaded(t))
	want := map[string]string{
		"function > nat-gateway": "1.2 GB · $45.00/month", "nat-gateway > internet-gateway": "1.2 GB", "internet-gateway > service": "1.2 GB",
		"function > instance": "✕ 17 packets",
	}
	if diff := cmp.Diff(badges(p), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	for _, c := range p.Cards {
		if got := slices.Contains(c.Details, "$36.50 a month"); got != (c.Kind == KindNATGateway) {
			t.Errorf("%s says what it costs: %v", c.Key, got)
		}
		if got := c.Code == "ENI_SG_RULES_MISMATCH"; got != (c.Kind == KindFunction) {
			t.Errorf("%s has code %q", c.Key, c.Code)
		}
	}
	if got := edges(p)["function > instance"]; got != StateBlocked {
		t.Errorf("what was dropped is %q", got)
	}
}

func TestWhatIsDroppedOnTheWayToNobodyIsToldWhereItBegan(t *testing.T) {
	in := loaded(t)
	function := in.Functions[0].ENIs[0]
	for outside, want := range map[bool]string{false: "", true: StateBlocked} {
		in.Rejects = []Reject{{From: function, Packets: 3, Code: "NO_POSSIBLE_DESTINATION", Outside: outside}}
		p := Draw(in)
		if got := edges(p)["function > internet"]; got != want {
			t.Errorf("outside %v: the edge is %q, want %q", outside, got, want)
		}
		if got := p.byKey[functionKey(in.Functions[0].Name, function)].Code; got != "NO_POSSIBLE_DESTINATION" {
			t.Errorf("outside %v: the function has code %q", outside, got)
		}
	}
}

func TestTrafficOfNobodyInParticularBeginsAtItsGateway(t *testing.T) {
	in := loaded(t)
	in.Rejects, in.Bytes = nil, false
	for i := range in.Loads {
		in.Loads[i].From = ""
	}
	if diff := cmp.Diff(badges(Draw(in)), map[string]string{"nat-gateway > internet-gateway": "$45.00/month"}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestAmountsOfBytesAreShort(t *testing.T) {
	for bytes, want := range map[uint64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 1 << 63: "9.2 EB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d: got %s, want %s", bytes, got, want)
		}
	}
}
