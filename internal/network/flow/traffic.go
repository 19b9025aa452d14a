package flow

import (
	"cmp"
	"slices"
	"sync"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// Traffic is what one interface sent and got by one way to one kind of peer, since the region was started.
// Bytes are those of IP packets, headers included.
type Traffic struct {
	VPC    resource.VPCID              `json:"vpc"`
	ENI    resource.NetworkInterfaceID `json:"interface"`
	Type   string                      `json:"type"` // resource.InterfaceType... of the interface
	Subnet resource.SubnetID           `json:"subnet"`
	AZ     string                      `json:"az"`
	// Service is the AWS service at the other end: s3, sts; empty: none.
	Service string `json:"service,omitempty"`
	// Via is what the packets leave the interface's VPC or reach their peer through: nat:<id>, vpce:<id> (an
	// endpoint of either kind), igw:<id>, eigw:<id>, pcx:<id>, or local.
	Via string `json:"via"`
	// CrossAZ is set where the packets reach an interface in another availability zone.
	CrossAZ    bool   `json:"crossAz"`
	PacketsOut uint64 `json:"packetsOut"` // sent by the interface
	BytesOut   uint64 `json:"bytesOut"`
	PacketsIn  uint64 `json:"packetsIn"` // got by it
	BytesIn    uint64 `json:"bytesIn"`
}

// kind is a traffic without its counts.
func (t Traffic) kind() Traffic {
	t.PacketsOut, t.BytesOut, t.PacketsIn, t.BytesIn = 0, 0, 0, 0
	return t
}

// Totals adds up traffic. It is safe for concurrent use.
type Totals struct {
	mu    sync.Mutex
	kinds map[Traffic]*Traffic // guarded by mu
}

// NewTotals makes empty totals.
func NewTotals() *Totals { return &Totals{kinds: map[Traffic]*Traffic{}} }

// Add counts more traffic.
func (a *Totals) Add(more ...Traffic) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range more {
		sum := a.kinds[t.kind()]
		if sum == nil {
			kind := t.kind()
			sum = &kind
			a.kinds[kind] = sum
		}
		sum.PacketsOut, sum.BytesOut = sum.PacketsOut+t.PacketsOut, sum.BytesOut+t.BytesOut
		sum.PacketsIn, sum.BytesIn = sum.PacketsIn+t.PacketsIn, sum.BytesIn+t.BytesIn
	}
}

// All is what was counted so far, ordered by interface, way and service.
func (a *Totals) All() []Traffic {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]Traffic, 0, len(a.kinds))
	for _, t := range a.kinds {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Traffic) int {
		return cmp.Or(cmp.Compare(a.ENI, b.ENI), cmp.Compare(a.Via, b.Via), cmp.Compare(a.Service, b.Service), cmp.Compare(a.AZ, b.AZ),
			boolean(a.CrossAZ)-boolean(b.CrossAZ))
	})
	return out
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}
