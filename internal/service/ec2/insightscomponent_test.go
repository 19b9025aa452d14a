package ec2

import (
	"net/netip"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/explain"
)

func TestThePacketOfAComponentHasBlocksOfOneAddress(t *testing.T) {
	for from, want := range map[string]string{"10.0.1.4": "10.0.1.4/32", "2600:1f14:1::4": "2600:1f14:1::4/128"} {
		h := packetHeader(explain.Header{Source: netip.MustParseAddr(from), Destination: netip.MustParseAddr(from), Protocol: 6})
		if h.SourceAddresses[0] != want || h.DestinationAddresses[0] != want {
			t.Errorf("%s: %v to %v", from, h.SourceAddresses, h.DestinationAddresses)
		}
	}
}
