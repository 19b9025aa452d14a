package linux

import (
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
)

// Packets within a subnet look at no route, not even at one for a single neighbour.
func TestNoRouteCutsASubnetInTwo(t *testing.T) {
	w := newWorld(t)
	v := w.VPC("a", "10.0.0.0/16")
	near, far := v.Subnet("near", "10.0.1.0/24"), v.Subnet("far", "10.0.2.0/24")
	client, neighbour, stranger := v.ENI("client", near, "10.0.1.10"), v.ENI("neighbour", near, "10.0.1.20"), v.ENI("stranger", far, "10.0.2.20")
	for _, to := range []string{"10.0.1.20/32", "10.0.1.0/25", "10.0.1.0/24", "10.0.2.20/32"} {
		RouteTo(near, to, topology.TargetENI, "eni-that-is-gone")
	}
	w.apply()
	w.serve(dataplane.Place{ENI: neighbour.ID}, 80)
	w.serve(dataplane.Place{ENI: stranger.ID}, 80)
	from := w.attach(client)
	w.check(
		check{"neighbour", from, "tcp", "10.0.1.20:80", Connected},
		check{"other subnet", from, "tcp", "10.0.2.20:80", TimedOut},
	)
}
