package region_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/operator"
	"github.com/culvert-cloud/culvert/internal/program"
	"github.com/culvert-cloud/culvert/internal/region"
	"github.com/culvert-cloud/culvert/internal/resource"
)

//go:generate go test -run TestTheCoveragePageIsTrue -update .

var update = flag.Bool("update", false, "write the generated files anew")

// asProgram makes this test binary the program itself, for tests that kill it.
const asProgram = "CULVERT_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if program.Face() {
		return
	}
	if spec := os.Getenv(bareEngine); spec != "" {
		fmt.Fprintln(os.Stderr, runBareEngine(spec))
		os.Exit(1)
	}
	if os.Getenv(asProgram) != "" {
		os.Exit(program.Main())
	}
	os.Exit(launch.Tests(m.Run))
}

func open(t testing.TB, c region.Config) (*region.Region, *operator.Client) {
	t.Helper()
	if c.Quotas == nil { // these tests are not about them
		c.Quotas = resource.Quotas{resource.QuotaVPCs: 500, resource.QuotaInternetGateways: 500, resource.QuotaAddresses: 500, resource.QuotaGatewayEndpoints: 500}
	}
	c.Region, c.Listen, c.Version, c.Log = "us-west-2", "127.0.0.1:0", "test", slog.New(slog.DiscardHandler)
	r, err := region.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r, &operator.Client{Endpoint: r.URL(), Region: c.Region}
}

func TestTheCoveragePageIsTrue(t *testing.T) {
	r, _ := open(t, region.Config{})
	const page = "../../docs/coverage.md"
	if *update {
		if err := os.WriteFile(page, []byte(r.Coverage()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != r.Coverage() {
		t.Error("docs/coverage.md is stale: go generate ./internal/region")
	}
}

func TestADirectoryHasOneRegion(t *testing.T) {
	data := t.TempDir()
	open(t, region.Config{Data: data})
	_, err := region.Open(t.Context(), region.Config{Region: "us-west-2", Listen: "127.0.0.1:0", Data: data, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second region on the same directory: %v", err)
	}
}

func TestAnAddressInUseIsSaidSo(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = region.Open(t.Context(), region.Config{Region: "us-west-2", Listen: l.Addr().String(), Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("open = %v", err)
	}
}

// up starts the program as a process of its own and waits until it is ready.
func up(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", append([]string{"up", "--quota", "vpcs=500"}, arguments...)...)
	cmd.Env = append(launch.Environ(), asProgram+"=1")
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 256)
	n, err := out.Read(line)
	if err != nil || !bytes.HasPrefix(line[:n], []byte("culvert: ready on http://")) {
		t.Fatalf("up said %q, %v; %s", line[:n], err, errors.String())
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func address(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestAKilledRegionLeavesNothing kills the outer process, which has no chance to clean up, and looks for what
// is left: processes, and then, with a second region on the same directory, whether everything is found.
func TestAKilledRegionLeavesNothing(t *testing.T) {
	data, listen := t.TempDir(), address(t)
	first := up(t, "--data", data, "--listen", listen)
	client := &operator.Client{Endpoint: "http://" + listen, Region: "us-west-2"}
	var vpc struct {
		ID string `xml:"vpc>vpcId"`
	}
	if err := client.Query(t.Context(), "ec2", "CreateVpc", &vpc, "CidrBlock", "10.0.0.0/16"); err != nil {
		t.Fatal(err)
	}
	if err := client.Query(t.Context(), "ec2", "CreateSubnet", nil, "VpcId", vpc.ID, "CidrBlock", "10.0.1.0/24"); err != nil {
		t.Fatal(err)
	}
	family := descendants(t, first.Process.Pid)
	if len(family) < 2 { // the region and the object engine
		t.Fatalf("descendants of %d: %v", first.Process.Pid, family)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	deadline := time.Now().Add(5 * time.Second)
	for _, pid := range family {
		for syscall.Kill(pid, 0) == nil && !zombie(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d outlived the region", pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	second := up(t, "--data", data, "--listen", listen)
	if err := client.Query(t.Context(), "ec2", "DescribeVpcs", nil, "VpcId.1", vpc.ID); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	if err := second.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := second.Wait(); err != nil {
		t.Errorf("a region that is asked to end: %v", err)
	}
}

// descendants lists the processes below one, as /proc tells here.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	var all []int
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		for _, child := range children(t, queue[0]) {
			all = append(all, child)
			queue = append(queue, child)
		}
	}
	return all
}

func children(t *testing.T, pid int) []int {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, p := range paths {
		if id, parent, ok := stat(p); ok && parent == pid {
			out = append(out, id)
		}
	}
	return out
}

// stat reads a process's id and its parent's.
func stat(path string) (id, parent int, ok bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, false
	}
	// pid (name) state ppid: the name may hold anything
	before, after, found := bytes.Cut(b, []byte(" ("))
	end := bytes.LastIndexByte(after, ')')
	if !found || end < 0 {
		return 0, 0, false
	}
	fields := strings.Fields(string(after[end+1:]))
	id, err = strconv.Atoi(string(before))
	if err != nil {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return id, parent, err == nil
}

func zombie(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && bytes.Contains(b, []byte(") Z "))
}
