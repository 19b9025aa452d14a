package region

import "github.com/culvert-cloud/culvert/internal/network/dataplane/linux"

// Network lets tests sit down inside the region's network.
func (r *Region) Network() *linux.Driver { return r.network }

// Authority is what workloads trust.
func (r *Region) Authority() []byte { return r.authority.PEM() }
