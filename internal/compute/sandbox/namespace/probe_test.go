package namespace

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
)

const probeArg = "probe-the-sandbox"

// findings is what the program finds from the inside.
type findings struct {
	Status    map[string]string // of /proc/self/status
	Files     []string          // open descriptors
	Processes []string
	Devices   []string
	Writable  []string // mount points
	Attempts  map[string]string
}

// attempts are things that a function must not be able to do. Each returns nil if it could.
var attempts = map[string]func() error{
	"become root":           func() error { return syscall.Setuid(0) },
	"a user namespace":      func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
	"a mount namespace":     func() error { return unix.Unshare(unix.CLONE_NEWNS) },
	"a network namespace":   func() error { return unix.Unshare(unix.CLONE_NEWNET) },
	"clone a namespace":     func() error { return call(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD)) },
	"clone3":                func() error { return call(unix.SYS_CLONE3, 0, 88) },
	"join a namespace":      func() error { return unix.Setns(0, 0) },
	"mount":                 func() error { return unix.Mount("x", "/tmp", "tmpfs", 0, "") },
	"remount /usr":          func() error { return unix.Mount("", "/usr", "", unix.MS_REMOUNT|unix.MS_BIND, "") },
	"unmount /proc/keys":    func() error { return unix.Unmount("/proc/keys", unix.MNT_DETACH) },
	"open_tree":             func() error { _, err := unix.OpenTree(unix.AT_FDCWD, "/", unix.OPEN_TREE_CLONE); return err },
	"fsopen":                func() error { _, err := unix.Fsopen("tmpfs", 0); return err },
	"pivot_root":            func() error { return unix.PivotRoot("/tmp", "/tmp") },
	"chroot":                func() error { return unix.Chroot("/tmp") },
	"mknod":                 func() error { return unix.Mknod("/tmp/sda", unix.S_IFBLK|0o600, 8<<8) },
	"write to /":            func() error { return os.WriteFile("/x", nil, 0o600) },
	"write to /usr":         func() error { return os.WriteFile("/usr/x", nil, 0o600) },
	"write to /dev":         func() error { return os.WriteFile("/dev/x", nil, 0o600) },
	"write to /var/task":    func() error { return os.WriteFile("/var/task/x", nil, 0o600) },
	"write a sysctl":        func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0) },
	"change meminfo":        func() error { return os.WriteFile("/proc/meminfo", []byte("x"), 0) },
	"read PID 1's memory":   func() error { _, err := os.Open("/proc/1/mem"); return err },
	"read PID 1's files":    func() error { _, err := os.ReadDir("/proc/1/fd"); return err },
	"overwrite the daemon":  func() error { _, err := os.OpenFile("/proc/1/exe", os.O_WRONLY, 0); return err },
	"trace":                 func() error { return unix.PtraceAttach(1) },
	"read another memory":   func() error { return call(unix.SYS_PROCESS_VM_READV, 1, 0, 0, 0, 0, 0) },
	"host's sys":            func() error { _, err := os.ReadDir("/sys"); return err },
	"host's home":           func() error { _, err := os.ReadDir("/root"); return err },
	"host's shadow":         func() error { _, err := os.ReadFile("/etc/shadow"); return err },
	"shared memory":         func() error { _, err := os.ReadDir("/dev/shm"); return err },
	"kernel log":            func() error { _, err := unix.Klogctl(unix.SYSLOG_ACTION_READ_ALL, make([]byte, 100)); return err },
	"keys":                  func() error { _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false); return err },
	"vsock":                 func() error { return socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0) },
	"packet socket":         func() error { return socket(unix.AF_PACKET, unix.SOCK_RAW, 0) },
	"raw socket":            func() error { return socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP) },
	"crypto socket":         func() error { return socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0) },
	"netfilter":             func() error { return socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER) },
	"io_uring":              func() error { return call(unix.SYS_IO_URING_SETUP, 1, 0) },
	"bpf":                   func() error { return call(unix.SYS_BPF, 0, 0, 0) },
	"perf":                  func() error { return call(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, 0, 0) },
	"userfaultfd":           func() error { return call(unix.SYS_USERFAULTFD, 0) },
	"load a module":         func() error { return call(unix.SYS_INIT_MODULE, 0, 0, 0) },
	"kexec":                 func() error { return call(unix.SYS_KEXEC_LOAD, 0, 0, 0, 0) },
	"reboot":                func() error { return unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF) },
	"set the clock":         func() error { return unix.Settimeofday(&unix.Timeval{Sec: 1}) },
	"host name":             func() error { return unix.Sethostname([]byte("x")) },
	"file handles":          func() error { return call(unix.SYS_OPEN_BY_HANDLE_AT, 0, 0, 0) },
	"a system call to come": func() error { return call(999) },
	"raise a limit": func() error {
		return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 1 << 16, Max: 1 << 16})
	},
	"add an address": func() error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		return newLink(fd)
	},
}

func call(number uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	_, _, e := unix.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
	if e != 0 {
		return e
	}
	return nil
}

func socket(family, kind, protocol int) error {
	_, err := unix.Socket(family, kind, protocol)
	return err
}

// newLink asks the kernel for a dummy interface and returns its answer.
func newLink(fd int) error {
	var b bytes.Buffer
	head := unix.NlMsghdr{Len: unix.SizeofNlMsghdr + unix.SizeofIfInfomsg, Type: unix.RTM_SETLINK,
		Flags: unix.NLM_F_REQUEST | unix.NLM_F_ACK}
	info := unix.IfInfomsg{Index: 1, Change: unix.IFF_UP}
	b.Write((*[unix.SizeofNlMsghdr]byte)(unsafe.Pointer(&head))[:])
	b.Write((*[unix.SizeofIfInfomsg]byte)(unsafe.Pointer(&info))[:])
	if err := unix.Sendto(fd, b.Bytes(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil || n < unix.SizeofNlMsghdr+4 {
		return err
	}
	if code := *(*int32)(unsafe.Pointer(&answer[unix.SizeofNlMsghdr])); code != 0 {
		return syscall.Errno(-code)
	}
	return nil
}

// probe runs inside and prints what it finds.
func probe() {
	f := findings{Status: map[string]string{}, Attempts: map[string]string{}}
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		k, v, _ := strings.Cut(line, ":")
		if strings.HasPrefix(k, "Cap") || k == "Uid" || k == "Gid" || k == "NoNewPrivs" || k == "Seccomp" {
			f.Status[k] = strings.Join(strings.Fields(v), " ")
		}
	}
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range fds {
		target, _ := os.Readlink("/proc/self/fd/" + fd.Name())
		kind, _, _ := strings.Cut(target, ":")
		if !strings.HasPrefix(kind, "/proc/") && kind != "" && !strings.HasPrefix(kind, "anon_inode") {
			f.Files = append(f.Files, fd.Name()+" "+kind)
		}
	}
	pids, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, p := range pids {
		name, _ := os.ReadFile(p)
		f.Processes = append(f.Processes, strings.TrimSpace(string(name)))
	}
	devices, _ := os.ReadDir("/dev")
	for _, d := range devices {
		f.Devices = append(f.Devices, d.Name())
	}
	mounts, _ := os.ReadFile("/proc/self/mounts")
	for line := range strings.Lines(string(mounts)) {
		p := strings.Fields(line)[1]
		if info, err := os.Stat(p); err != nil || info.Mode()&os.ModeDevice != 0 {
			continue // what is masked is /dev/null
		}
		if unix.Access(p, unix.W_OK) == nil {
			f.Writable = append(f.Writable, p)
		}
	}
	for name, try := range attempts {
		f.Attempts[name] = outcomeOf(try())
	}
	_ = json.NewEncoder(os.Stdout).Encode(f)
}

// outcomeOf does not tell kinds of refusal apart: which it is depends on the kernel.
func outcomeOf(err error) string {
	if err == nil {
		return "POSSIBLE"
	}
	return "refused"
}

func TestAFunctionCannotGetOut(t *testing.T) {
	dir := t.TempDir()
	image, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/probe", image, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	sp := spec("probe")
	sp.Mounts = []sandbox.Mount{{Source: dir, Target: "/var/task"}}
	s := start(t, newDriver(t), sp)
	out, _ := shell(t, s, "/var/task/probe "+probeArg)
	var got findings
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sort.Strings(got.Processes)
	const none = "0000000000000000"
	want := findings{
		Status: map[string]string{
			"CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none,
			"Uid": "993 993 993 993", "Gid": "990 990 990 990", "NoNewPrivs": "1", "Seccomp": "2",
		},
		Files:     []string{"0 /dev/null", "1 pipe", "2 pipe", "3 pipe"},
		Processes: []string{"culvert-init", "probe", "sh"},
		Devices:   []string{"fd", "full", "null", "random", "stderr", "stdin", "stdout", "urandom", "zero"},
		Writable:  []string{"/tmp"},
		Attempts:  map[string]string{},
	}
	for name := range attempts {
		want.Attempts[name] = "refused"
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestSandboxesDoNotSeeEachOther(t *testing.T) {
	d := newDriver(t)
	a, b := start(t, d, spec("a")), start(t, d, spec("b"))
	if out, _ := shell(t, a, "echo secret > /tmp/file; cat /tmp/file"); out != "secret" {
		t.Errorf("in the first: %s", out)
	}
	if out, _ := shell(t, b, "ls /tmp; cd /proc; set -- [0-9]*; echo $#"); out != "3" { // PID 1 and two sh
		t.Errorf("in the second: %s", out)
	}
}
