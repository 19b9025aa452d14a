package linux

import (
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

func TestAnUntrackedConnectionEndsWithItsRule(t *testing.T) {
	everyone := Allow(resource.AllProtocols, -1, -1, "0.0.0.0/0")
	for name, c := range map[string]struct {
		before, after, egress []topology.Rule
		kind                  string
		alive                 bool
	}{
		"open both ways":              {[]topology.Rule{Allow(6, 80, 80, "0.0.0.0/0")}, nil, []topology.Rule{everyone}, "", false},
		"not open the other way":      {[]topology.Rule{Allow(6, 80, 80, "0.0.0.0/0")}, nil, []topology.Rule{Allow(6, 1, 65535, "10.0.0.0/8")}, "", true},
		"from some only":              {[]topology.Rule{Allow(6, 80, 80, "10.0.0.0/8")}, nil, []topology.Rule{everyone}, "", true},
		"another rule still allows":   {[]topology.Rule{Allow(6, 80, 80, "0.0.0.0/0")}, []topology.Rule{Allow(6, 80, 90, "sg-clients")}, []topology.Rule{everyone}, "", true},
		"another port's rule goes":    {[]topology.Rule{Allow(6, 80, 80, "0.0.0.0/0"), Allow(6, 443, 443, "0.0.0.0/0")}, []topology.Rule{Allow(6, 80, 80, "0.0.0.0/0")}, []topology.Rule{everyone}, "", true},
		"to an endpoint's interface":  {[]topology.Rule{Allow(6, 80, 80, "0.0.0.0/0")}, nil, []topology.Rule{everyone}, resource.InterfaceTypeVPCEndpoint, true},
		"only all TCP the other way":  {[]topology.Rule{Allow(6, 80, 80, "0.0.0.0/0")}, nil, []topology.Rule{Allow(6, 0, 65535, "0.0.0.0/0")}, "", false},
		"only all UDP, the other way": {[]topology.Rule{Allow(6, 80, 80, "0.0.0.0/0")}, nil, []topology.Rule{Allow(17, 0, 65535, "0.0.0.0/0")}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPairing(t)
			p.clients.Egress = []topology.Rule{Allow(6, 80, 80, "10.0.2.10/32")}
			p.servers.Ingress, p.servers.Egress = c.before, c.egress
			if c.kind != "" {
				p.server.Type = c.kind
			}
			p.apply()
			if c.kind != "" { // it was made anew
				p.serve(dataplane.Place{ENI: p.server.ID}, 80)
			}
			open := p.connect(p.clientPlace, "10.0.2.10:80")
			p.servers.Ingress = c.after
			p.apply()
			wait := patience
			if c.alive {
				wait = 4 * patience // the machine may be busy
			}
			if got := open.alive(wait); got != c.alive {
				t.Errorf("the connection is alive: %t, want %t", got, c.alive)
			}
		})
	}
}
