// Package region assembles one region: state, network, services, listeners. It is the only package that
// imports across the others, and it decides nothing itself: read region.go to see what is started, in what
// order, and what ends with what.
package region

import (
	"log/slog"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// Account is the account that everything in a region belongs to.
const Account = "000000000000"

// Config says which region to open.
type Config struct {
	Region           string
	Listen           string // host:port of the AWS APIs; port 0: any
	Data             string // directory; empty: in memory, gone at the end
	AssumePrivateDNS bool
	DefaultVPC       bool // a new region begins with a default VPC
	Quotas           resource.Quotas
	// FlowLogInterval is how often flow logs have records; 0: as each says.
	FlowLogInterval time.Duration
	Version         string
	Log             *slog.Logger
}
