package ec2

import (
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Bootstrap stores what AWS itself puts in a region: its prefix lists and the default DHCP options. What is
// there stays as it is, so that it may run at every start.
func Bootstrap(tx *state.Tx) error {
	bootstrapDHCPOptions(tx)
	for _, p := range topology.AWSPrefixLists(tx.Region()) {
		if _, ok := state.Get[*resource.PrefixList](tx, p.ID); !ok {
			tx.Put(p)
		}
	}
	return nil
}
