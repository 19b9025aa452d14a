package linux

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
)

// AWS: "When a connection times out, a NAT gateway returns an RST packet to any resources behind the NAT gateway that
// attempt to continue the connection."
func TestANATGatewayResetsWhatWasIdleForTooLong(t *testing.T) {
	w := newTwoTier(t)
	w.vpc.NATGateway("a", w.public, "10.0.1.5", "44.0.0.5")
	RouteTo(w.private, "0.0.0.0/0", topology.TargetNATGateway, "nat-a")
	w.apply()
	gateway := w.d.routers[w.vpc.ID].eni(w.vpc.NATGateways[0].ENI)
	err := gateway.ns.Do(func() error {
		got, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(natIdleSetting, ".", "/"))
		if s := strings.TrimSpace(string(got)); s != natIdle {
			t.Errorf("an idle connection is kept for %q s, want %s", s, natIdle)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// Nobody waits for six minutes here.
	if err := gateway.ns.Sysctl(natIdleSetting + "=1"); err != nil {
		t.Fatal(err)
	}
	w.serve(dataplane.Place{Internet: netip.MustParseAddr(s3)}, 443)
	idle, busy := w.connect(w.attach(w.client), s3+":443"), w.connect(w.attach(w.client), s3+":443")
	for range 6 {
		if !busy.alive(time.Second) {
			t.Fatal("a connection in use was ended")
		}
		time.Sleep(400 * time.Millisecond)
	}
	idle.SetDeadline(time.Now().Add(3 * time.Second))
	if _, err := idle.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("an idle connection went on with %v, want a reset", err)
	}
}
