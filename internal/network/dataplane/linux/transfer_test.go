package linux

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
)

// Packets are larger in a VPC than on the internet, and streams travel in yet larger pieces: whatever the way,
// what arrives must be what was sent, without waiting for repetitions.
func TestLargeTransfersCrossEveryKindOfGateway(t *testing.T) {
	w := newTwoTier(t)
	w.vpc.NATGateway("a", w.public, "10.0.1.5", "44.0.0.5")
	RouteTo(w.private, "0.0.0.0/0", topology.TargetNATGateway, "nat-a")
	e := w.vpc.GatewayEndpoint("s3", w.vpc.PrefixList("s3", "3.5.80.0/21"), w.private)
	bastion := w.vpc.ENI("bastion", w.public, "10.0.1.8")
	Associate(bastion, "44.0.0.8")
	w.apply()
	w.serve(dataplane.Place{Internet: addr(s3)}, 443)
	w.serve(dataplane.Place{GatewayEndpoint: e.ID}, 443)
	w.serve(dataplane.Place{ENI: bastion.ID}, 443)
	seat := w.sit(dataplane.Seat{ENI: w.client.ID, Shared: true})
	for name, c := range map[string]struct {
		from dataplane.Attachment
		to   string
	}{
		"interface":                      {w.attach(w.client), "10.0.1.8:443"},
		"internet gateway":               {w.attach(bastion), s3 + ":443"},
		"NAT gateway":                    {w.attach(w.client), s3 + ":443"},
		"gateway endpoint":               {w.attach(w.client), "3.5.80.1:443"},
		"seat and NAT gateway":           {seat, s3 + ":443"},
		"seat and gateway endpoint":      {seat, "3.5.80.1:443"},
		"from the internet to the VPC":   {w.sit(dataplane.Seat{}), "44.0.0.8:443"},
		"from the internet to a service": {w.sit(dataplane.Seat{}), s3 + ":443"},
	} {
		start := time.Now()
		w.echoes(name, c.from, c.to, 8<<20)
		t.Logf("%s: %s", name, time.Since(start))
	}
}

// echoes sends random bytes and compares what comes back.
func (w *world) echoes(name string, from dataplane.Attachment, to string, size int) {
	w.t.Helper()
	c := w.connect(from, to)
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	data := make([]byte, size)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(data)
	go c.Write(data)
	sum := sha256.New()
	if _, err := io.CopyN(sum, c, int64(size)); err != nil {
		w.t.Errorf("%s: %v", name, err)
		return
	}
	if want := sha256.Sum256(data); !bytes.Equal(sum.Sum(nil), want[:]) {
		w.t.Errorf("%s: other bytes came back", name)
	}
}
