// Command performance measures what docs/performance.md promises and writes that page.
//
// It runs the project's benchmarks and the built program, on this machine and as it is; it decides nothing, and
// no test depends on it. Run it on an idle machine: make bench.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// row is one line of the table.
type row struct {
	what, goal, measured string
}

// suite is one run of benchmarks of a package.
type suite struct {
	pkg, pattern, times string
	rows                []figure
}

// figure takes one metric of one benchmark.
type figure struct {
	benchmark, unit string
	what, goal      string
	format          func(float64) string
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "performance:", err)
		os.Exit(1)
	}
}

func run() error {
	directory, err := os.MkdirTemp("", "culvert-performance-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	program := filepath.Join(directory, "culvert")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./cmd/culvert").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	var rows []row
	for _, s := range suites() {
		fmt.Fprintln(os.Stderr, "measuring", s.pkg)
		more, err := s.run()
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	more, err := whole(program)
	if err != nil {
		return err
	}
	return os.WriteFile("docs/performance.md", page(append(rows, more...)), 0o644)
}

func milliseconds(ns float64) string { return fmt.Sprintf("%.1f ms", ns/1e6) }
func microseconds(ns float64) string { return fmt.Sprintf("%.1f µs", ns/1e3) }
func plainMS(ms float64) string      { return fmt.Sprintf("%.2f ms", ms) }
func megabytes(mb float64) string    { return fmt.Sprintf("%.0f MB", mb) }
func times(r float64) string         { return fmt.Sprintf("%.2f x", r) }

func suites() []suite {
	return []suite{
		{"./internal/region", "Ready", "20x", []figure{
			{"BenchmarkReady/in_memory", "ns/op", "ready, in memory", "<= 100 ms", milliseconds},
			{"BenchmarkReady/on_disk", "ns/op", "ready, kept on disk", "<= 100 ms", milliseconds},
		}},
		{"./internal/network/dataplane/linux", "CreateInterface|ChangeRule|Connect|Throughput", "100x", []figure{
			{"BenchmarkCreateInterface", "ns/op", "make one ENI", "<= 5 ms", milliseconds},
			{"BenchmarkChangeRule", "ns/op", "change a group rule, many ENIs", "", milliseconds},
			{"BenchmarkConnect", "ratio", "routed connect, to a plain veth", "<= 2.5 x", times},
			{"BenchmarkThroughput", "ratio", "routed throughput, to a plain veth", ">= 0.9 x", times},
		}},
		{"./internal/service/ec2", "Large", "100x", []figure{
			{"BenchmarkDescribeLarge", "ms-p99", "describe calls with 10,000 ENIs, 1,000 groups of 60 rules, 200 VPCs: the worst p99", "<= 50 ms", plainMS},
			{"BenchmarkDescribeLarge", "MB", "memory of that state and its network", "<= 500 MB", megabytes},
			{"BenchmarkResolveLarge", "ns/op", "network of that state, made anew", "<= 100 ms", milliseconds},
		}},
		{"./internal/network/explain", "Mend|AllPairs", "3x", []figure{
			{"BenchmarkMend", "ns/op", "culvert why among 1,000 ENIs: explained, and mended", "<= 50 ms", milliseconds},
			{"BenchmarkAllPairs", "ns/op", "all of 1,000 ENIs to 10 services, explained", "<= 10 s", milliseconds},
		}},
		{"./internal/api/policy", "FiftyStatements", "50000x", []figure{
			{"BenchmarkFiftyStatements", "ns/op", "a decision with 50 statements that all have to be looked at", "<= 20 µs", microseconds},
		}},
		{"./internal/view/diagram", "ThreeHundred", "5x", []figure{
			{"BenchmarkThreeHundredResources", "ns/op", "a picture of 300 resources: laid out and written as SVG", "< 300 ms", milliseconds},
		}},
		{"./internal/compute/execution", "Go|Python", "60x", []figure{
			{"BenchmarkGoCold", "ms-p50", "Go function, cold, p50", "<= 30 ms", plainMS},
			{"BenchmarkGoWarm", "ms-p50", "Go function, warm, p50", "<= 1 ms", plainMS},
			{"BenchmarkPythonCold", "ms-p50", "Python function, cold, p50", "<= 100 ms", plainMS},
			{"BenchmarkPythonWarm", "ms-p50", "Python function, warm, p50", "<= 1 ms", plainMS},
		}},
		{"./internal/region", "GetObject", "60x", []figure{
			{"BenchmarkGetObject1KiB", "ratio", "GetObject 1 KiB through an endpoint, to the bare engine over TLS", ">= 0.7 x", times},
			{"BenchmarkGetObject16MiB", "ratio", "GetObject 16 MiB, the same", ">= 0.7 x", times},
		}},
	}
}

func (s suite) run() ([]row, error) {
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", s.pattern, "-benchtime", s.times, s.pkg)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("benchmarks of %s: %w\n%s", s.pkg, err, out)
	}
	var rows []row
	for _, f := range s.rows {
		v, ok := metric(out, f.benchmark, f.unit)
		if !ok {
			return nil, fmt.Errorf("%s has no metric %s:\n%s", f.benchmark, f.unit, out)
		}
		rows = append(rows, row{f.what, f.goal, f.format(v)})
	}
	return rows, nil
}

// metric finds "value unit" in a benchmark's line.
func metric(out []byte, benchmark, unit string) (float64, bool) {
	for line := range strings.SplitSeq(string(out), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || !regexp.MustCompile("^"+benchmark+`(-\d+)?$`).MatchString(fields[0]) {
			continue
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if fields[i+1] == unit {
				v, err := strconv.ParseFloat(fields[i], 64)
				return v, err == nil
			}
		}
	}
	return 0, false
}

// whole measures the program from outside.
func whole(program string) ([]row, error) {
	info, err := os.Stat(program)
	if err != nil {
		return nil, err
	}
	out, err := exec.Command(program, "demo", "--json", "--timeout", "1").Output()
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	var story struct {
		OwnMS int64 `json:"ownMs"`
		Roads []struct {
			Name    string `json:"name"`
			ColdP50 int64  `json:"coldP50Us"`
			WarmP50 int64  `json:"warmP50Us"`
		} `json:"roads"`
	}
	if err := json.Unmarshal(out, &story); err != nil {
		return nil, err
	}
	rows := []row{
		{"demo's own work (timeouts and measuring aside)", "<= 3 s", fmt.Sprintf("%.1f s", float64(story.OwnMS)/1000)},
		{"size of the program", "<= 60 MB", fmt.Sprintf("%.1f MB", float64(info.Size())/1e6)},
	}
	for _, r := range story.Roads {
		rows = append(rows, row{"in the demo: GetObject by the " + r.Name + ", p50 new / open connection", "", fmt.Sprintf("%.2f / %.2f ms", float64(r.ColdP50)/1000, float64(r.WarmP50)/1000)})
	}
	for _, m := range []struct {
		what, goal string
		flags      []string
	}{
		{"idle memory, in memory only (all processes, PSS)", "<= 60 MiB", []string{"--ephemeral"}},
		{"idle memory, kept on disk (all processes, PSS)", "<= 100 MiB", nil},
	} {
		kib, err := idle(program, m.flags)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{m.what, m.goal, fmt.Sprintf("%.0f MiB", float64(kib)/1024)})
	}
	return rows, nil
}

// idle starts a region and adds up the memory of its processes.
func idle(program string, flags []string) (int, error) {
	data, err := os.MkdirTemp("", "culvert-performance-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(data)
	if flags == nil {
		flags = []string{"--data", data}
	}
	cmd := exec.Command(program, append([]string{"up", "--quota", "vpcs=500", "--listen", "127.0.0.1:0"}, flags...)...)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}()
	time.Sleep(3 * time.Second)
	total := 0
	for _, pid := range family(cmd.Process.Pid) {
		rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, err
		}
		m := regexp.MustCompile(`(?m)^Pss:\s+(\d+) kB`).FindSubmatch(rollup)
		if m == nil {
			return 0, fmt.Errorf("no Pss of process %d", pid)
		}
		kib, err := strconv.Atoi(string(m[1]))
		if err != nil {
			return 0, err
		}
		total += kib
	}
	return total, nil
}

// family is a process and all below it.
func family(pid int) []int {
	all := []int{pid}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for _, c := range strings.Fields(string(children)) {
			if child, err := strconv.Atoi(c); err == nil {
				all = append(all, family(child)...)
			}
		}
	}
	return all
}

func page(rows []row) []byte {
	var b bytes.Buffer
	b.WriteString("# Performance\n\nMade by `make bench` (`go run ./test/performance`); do not edit. Ratios are against a baseline in the same run.\n\n")
	fmt.Fprintf(&b, "%s, %d processors (%s), Linux %s, load %s at the end.\n\n", time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), model(), first("/proc/sys/kernel/osrelease"), first("/proc/loadavg"))
	b.WriteString("| What | Goal | Measured |\n|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.what, r.goal, r.measured)
	}
	return b.Bytes()
}

// first is the first word of a file.
func first(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "?"
	}
	word, _, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	return word
}

func model() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "?"
	}
	m := regexp.MustCompile(`(?m)^model name\s*:\s*(.*)$`).FindSubmatch(b)
	if m == nil {
		return "?"
	}
	return string(m[1])
}
