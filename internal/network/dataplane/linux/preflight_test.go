package linux

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestPreflightPassesQuicklyWhereTheOtherTestsPass(t *testing.T) {
	start := time.Now()
	if err := Preflight(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Logf("took %s", time.Since(start))
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestPreflightNamesTheRemedy(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		file string // what every file reads as
		want string
	}{
		{"read-only settings", &os.PathError{Op: "open", Path: "/proc/sys/net/ipv4/ip_forward", Err: unix.EROFS}, "", "systempaths=unconfined"},
		{"no more files", &os.PathError{Op: "open", Path: "/proc/sys/net/ipv4/ip_forward", Err: unix.EMFILE}, "", "ulimit"},
		{"no connection tracking", &os.PathError{Op: "open", Path: "/proc/sys/net/netfilter/nf_conntrack_tcp_loose", Err: unix.ENOENT}, "", "connection tracking"},
		{"no rights", fmt.Errorf("unshare: %w", unix.EPERM), "", "CAP_NET_ADMIN"},
		{"AppArmor", fmt.Errorf("unshare: %w", unix.EPERM), "1", "AppArmor"},
		{"limit", unix.ENOSPC, "", "max_net_namespaces"},
		{"old WSL", unix.ENOENT, "5.10.16.3-microsoft-standard-WSL2", "wsl --update"},
		{"no nftables", unix.EPROTONOSUPPORT, "6.1.0", "nftables"},
		{"silence", context.DeadlineExceeded, "", "packets"},
	} {
		if got := remedy(c.err, func(string) string { return c.file }); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want something about %q", c.name, got, c.want)
		}
	}
}
