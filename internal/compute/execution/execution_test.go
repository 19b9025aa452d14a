package execution

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox/namespace"
	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// TestMain is also the main of the Go function under test: its bootstrap is this program.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambda.Start(handle)
	}
	os.Exit(launch.Tests(m.Run))
}

// network gives places that are like those of a VPC without any way out: packets are lost in silence.
type network struct{ seats chan dataplane.Seat }

type place struct{ ns *netns.NS }

func (n network) Attach(_ context.Context, seat dataplane.Seat) (dataplane.Attachment, error) {
	select {
	case n.seats <- seat:
	default: // nobody looks
	}
	ns, err := netns.New("function")
	if err != nil {
		return nil, err
	}
	if err := ns.Do(furnish); err != nil {
		ns.Close()
		return nil, err
	}
	return place{ns}, nil
}

func furnish() error {
	// A handle made here stays here; the package's own is of the thread that used it first.
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	lo, err := h.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := h.LinkSetUp(lo); err != nil {
		return err
	}
	if err := h.AddrAdd(lo, &netlink.Addr{IPNet: prefix("169.254.100.1/32")}); err != nil {
		return err
	}
	// A blackhole route would make local connects fail at once. These packets arrive where nobody wants them.
	eth0 := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "void"}
	if err := h.LinkAdd(eth0); err != nil {
		return err
	}
	void, err := h.LinkByName("void")
	if err != nil {
		return err
	}
	for _, l := range []netlink.Link{eth0, void} {
		if err := h.LinkSetUp(l); err != nil {
			return err
		}
	}
	if err := h.AddrAdd(eth0, &netlink.Addr{IPNet: prefix("169.254.76.1/30")}); err != nil {
		return err
	}
	router := net.IPv4(169, 254, 76, 2)
	neighbor := &netlink.Neigh{LinkIndex: eth0.Index, IP: router, HardwareAddr: void.Attrs().HardwareAddr, State: netlink.NUD_PERMANENT}
	if err := h.NeighAdd(neighbor); err != nil {
		return err
	}
	return h.RouteAdd(&netlink.Route{LinkIndex: eth0.Index, Gw: router})
}

func prefix(s string) *net.IPNet {
	p := netip.MustParsePrefix(s)
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func (p place) FD() int                    { return p.ns.FD() }
func (p place) Spawn(f func() error) error { return netns.Spawn(p.ns, f) }
func (p place) Close() error               { return p.ns.Close() }
func (p place) Listen(network, address string) (net.Listener, error) {
	return p.ns.Listen(network, address)
}
func (p place) ListenPacket(network, address string) (net.PacketConn, error) {
	return p.ns.ListenPacket(network, address)
}
func (p place) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return p.ns.Dial(ctx, network, address)
}

// journal is a LogSink that keeps everything.
type journal struct {
	mu     sync.Mutex
	events []string // guarded by mu
}

func (j *journal) Append(group, stream string, events []LogEvent) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range events {
		j.events = append(j.events, e.Message)
	}
	return nil
}

func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := strings.Join(j.events, "")
	j.events = nil
	return text
}

// fixture is a pool and what it logs.
type fixture struct {
	*Pool
	journal *journal
	dir     string
}

func newFixture(t testing.TB, change ...func(*Config)) *fixture {
	t.Helper()
	dir, err := os.MkdirTemp("", "culvert-execution-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "bundle.pem"), "# no certificates\n")
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	boxes, err := namespace.New(log)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{journal: &journal{}, dir: dir}
	cfg := Config{
		Log:     log,
		Network: network{},
		Sandbox: boxes,
		Credentials: func(_ context.Context, fn *resource.Function, session string) (Credentials, error) {
			return Credentials{"ASIA" + fn.Name, "secret", "token-" + session}, nil
		},
		Logs:     f.journal,
		Code:     func(key string) (string, error) { return filepath.Join(dir, key), nil },
		CABundle: filepath.Join(dir, "bundle.pem"),
		Resolver: func(*resource.Function) ([]string, string) { return []string{"10.0.0.2"}, "ec2.internal" },
		Region:   "us-west-2",
		Account:  "000000000000",
		Dir:      dir,
	}
	for _, c := range change {
		c(&cfg)
	}
	f.Pool = New(cfg)
	t.Cleanup(func() {
		f.Pool.Close()
		if err := boxes.Close(); err != nil {
			t.Errorf("close the driver: %v", err)
		}
	})
	return f
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func function(name, runtime, handler string) *resource.Function {
	return &resource.Function{
		Name:                 name,
		ARN:                  "arn:aws:lambda:us-west-2:000000000000:function:" + name,
		Runtime:              runtime,
		Handler:              handler,
		Timeout:              10,
		MemorySize:           256,
		EphemeralStorageSize: 512,
		CodeKey:              name,
		RevisionID:           "1",
	}
}

// goFunction is the function at the end of this package's tests.
func (f *fixture) goFunction(t testing.TB) *resource.Function {
	t.Helper()
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(f.dir, "probe", "bootstrap")
	write(t, path, string(b))
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return function("probe", "provided.al2023", "bootstrap")
}

var requests struct {
	sync.Mutex
	n int
}

func requestID() string {
	requests.Lock()
	defer requests.Unlock()
	requests.n++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", requests.n)
}

// call invokes and fails the test on an error of ours.
func (f *fixture) call(t testing.TB, fn *resource.Function, payload string) Result {
	t.Helper()
	r, err := f.Invoke(context.Background(), fn, Invocation{RequestID: requestID(), Payload: []byte(payload)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
