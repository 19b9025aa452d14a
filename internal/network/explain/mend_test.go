package explain

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// A closed group, a missing route and an ACL without the ports of answers: each hides the next from a packet.
func TestAllBlockersAreFoundAndMended(t *testing.T) {
	n := newNetwork()
	n.put(&resource.SecurityGroup{ID: "sg-fn", VPCID: "vpc-1"}, &resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1", Entries: []resource.NetworkACLEntry{
		entry(100, egress, true, -1, "0.0.0.0/0", 0, 0), entry(100, ingress, true, TCP, "0.0.0.0/0", 443, 443),
	}})
	top := n.resolve(t)
	p := Mend(top, s3)
	var codes, texts []string
	for _, b := range p.Blockers {
		codes = append(codes, b.Code)
	}
	for _, r := range p.Fix() {
		texts = append(texts, r.Text)
	}
	if diff := cmp.Diff([]string{"SG_HAS_NO_RULES", "NO_ROUTE_TO_DESTINATION", "x:NACL_BLOCKS_RETURN"}, codes); diff != "" {
		t.Errorf("blockers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"add an egress rule to sg-fn that allows TCP 443 to pl-68a54001 (Terraform removes AWS's default egress rule from every aws_security_group " +
			"that has no egress block) (these are public addresses: a gateway endpoint changes the way there, not the addresses, so rules for the VPC's own blocks do not match them)",
		"create a gateway endpoint on rtb-private; it costs nothing",
		"add an ingress entry to acl-1 for the ports of the answers, before the one that denies",
	}, texts); diff != "" {
		t.Errorf("fix (-want +got):\n%s", diff)
	}
	if !p.Trace.Reachable || p.Trace.Service != "s3" || Explain(top, s3).Reachable {
		t.Errorf("mended %t, and before %t", p.Trace.Reachable, Explain(top, s3).Reachable)
	}
}

// What Mend proposes opens the way in the topology, and nothing in it is idle.
func TestEveryPlanOpensTheWayAndNeedsAllItsEdits(t *testing.T) {
	kinds := 0
	for _, c := range cases {
		n := newNetwork()
		c.build(n)
		top := n.resolve(t)
		p := Mend(top, c.flow)
		if c.reachable && (len(p.Edits) > 0 || len(p.Blockers) > 0 || !p.Trace.Reachable) {
			t.Errorf("%s is reachable, and yet: %+v", c.name, p)
		}
		if !c.reachable && len(p.Blockers) == 0 {
			t.Errorf("%s: no blocker", c.name)
		}
		if len(p.Edits) == 0 {
			continue
		}
		kinds++
		for i := range p.Edits {
			fewer := append(append([]Edit{}, p.Edits[:i]...), p.Edits[i+1:]...)
			if Explain(tried(top, fewer...), c.flow).Reachable {
				t.Errorf("%s: %v is not needed", c.name, p.Edits[i])
			}
		}
	}
	if kinds < 15 {
		t.Errorf("only %d networks were mended", kinds)
	}
}
