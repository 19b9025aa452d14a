package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// sandboxAttacks are on the kernel, the file system and the processes around the function.
func sandboxAttacks() []attack {
	return []attack{
		{"forbidden system calls", forbiddenCalls},
		{"forbidden sockets", forbiddenSockets},
		{"capabilities", capabilities},
		{"change the network", changeNetwork},
		{"write to the machine", writeMachine},
		{"read the machine", readMachine},
		{"the first process", firstProcess},
		{"inherited descriptors", inheritedDescriptors},
		{"abstract sockets", abstractSockets},
	}
}

func forbiddenCalls(context.Context, event) (string, error) {
	calls := map[string][]uintptr{
		"mount": {unix.SYS_MOUNT}, "unshare user": {unix.SYS_UNSHARE, unix.CLONE_NEWUSER}, "unshare net": {unix.SYS_UNSHARE, unix.CLONE_NEWNET},
		"clone user": {unix.SYS_CLONE, unix.CLONE_NEWUSER | uintptr(unix.SIGCHLD)}, "clone3": {unix.SYS_CLONE3}, "setns": {unix.SYS_SETNS, 0},
		"chroot": {unix.SYS_CHROOT}, "pivot_root": {unix.SYS_PIVOT_ROOT}, "fsopen": {unix.SYS_FSOPEN}, "open_tree": {unix.SYS_OPEN_TREE},
		"ptrace": {unix.SYS_PTRACE, unix.PTRACE_ATTACH, 1}, "process_vm_readv": {unix.SYS_PROCESS_VM_READV, 1}, "pidfd_getfd": {unix.SYS_PIDFD_GETFD},
		"bpf": {unix.SYS_BPF}, "io_uring_setup": {unix.SYS_IO_URING_SETUP, 8}, "userfaultfd": {unix.SYS_USERFAULTFD}, "perf_event_open": {unix.SYS_PERF_EVENT_OPEN},
		"keyctl": {unix.SYS_KEYCTL, 0, ^uintptr(2)}, "add_key": {unix.SYS_ADD_KEY}, "open_by_handle_at": {unix.SYS_OPEN_BY_HANDLE_AT},
		"init_module": {unix.SYS_INIT_MODULE}, "kexec_load": {unix.SYS_KEXEC_LOAD}, "reboot": {unix.SYS_REBOOT}, "syslog": {unix.SYS_SYSLOG, 3},
		"sethostname": {unix.SYS_SETHOSTNAME}, "personality": {unix.SYS_PERSONALITY, 8}, "after what was reviewed": {457},
	}
	for name, c := range calls {
		args := append(c, make([]uintptr, 3)...)
		_, _, e := unix.RawSyscall(args[0], args[1], args[2], args[3])
		if e != unix.EPERM && e != unix.ENOSYS {
			return through("%s: %v", name, e)
		}
	}
	return fmt.Sprintf("%d calls", len(calls)), nil
}

func forbiddenSockets(context.Context, event) (string, error) {
	sockets := [][3]int{
		{unix.AF_VSOCK, unix.SOCK_STREAM, 0}, {unix.AF_PACKET, unix.SOCK_RAW, 0x0300}, {unix.AF_ALG, unix.SOCK_SEQPACKET, 0}, {unix.AF_XDP, unix.SOCK_RAW, 0},
		{unix.AF_KEY, unix.SOCK_RAW, 2}, {unix.AF_BLUETOOTH, unix.SOCK_RAW, 1}, {unix.AF_TIPC, unix.SOCK_STREAM, 0}, {unix.AF_RDS, unix.SOCK_SEQPACKET, 0},
		{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER}, {unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_KOBJECT_UEVENT},
		{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_AUDIT}, {unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_SOCK_DIAG},
		{unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP}, {unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW}, {unix.AF_INET6, unix.SOCK_RAW, unix.IPPROTO_ICMPV6},
		{unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP}, {unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_ICMPV6},
	}
	for _, s := range sockets {
		if fd, err := unix.Socket(s[0], s[1], s[2]); err == nil {
			_ = unix.Close(fd)
			return through("socket %v", s)
		}
	}
	return fmt.Sprintf("%d kinds", len(sockets)), nil
}

// capabilities looks at what the kernel says of this process, and tries to get more.
func capabilities(context.Context, event) (string, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return through("no status: %v", err)
	}
	want := map[string]string{
		"CapInh": "0000000000000000", "CapPrm": "0000000000000000", "CapEff": "0000000000000000", "CapBnd": "0000000000000000",
		"CapAmb": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2",
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if w := want[name]; w != "" && w != strings.TrimSpace(value) {
			return through("%s", line)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		return through("the kernel does not say %v", want)
	}
	if unix.Setuid(0) == nil || unix.Setgid(0) == nil || unix.Setgroups([]int{0}) == nil {
		return through("changed user")
	}
	return "none", nil
}

func writeMachine(context.Context, event) (string, error) {
	for _, p := range []string{
		"/usr/x", "/etc/passwd", "/opt/x", "/var/task/bootstrap", "/var/task/x", "/dev/x", "/x", "/proc/sysrq-trigger", "/proc/sys/kernel/hostname",
		"/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/1/oom_score_adj", "/proc/1/mem",
	} {
		f, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			continue
		}
		_, err = f.WriteString("1")
		f.Close()
		if err == nil && p != "/proc/sysrq-trigger" { // that one is /dev/null here
			return through("wrote %s", p)
		}
	}
	if err := unix.Mknod("/tmp/device", unix.S_IFBLK|0o600, int(unix.Mkdev(8, 0))); err == nil {
		return through("made a device")
	}
	return "read-only", nil
}

// readMachine looks for what is the machine's or the region's and none of the function's business.
func readMachine(context.Context, event) (string, error) {
	for _, p := range []string{
		"/etc/shadow", "/etc/hostname", "/root", "/home", "/mnt", "/srv", "/run", "/var/lib", "/sys", "/proc/kcore", "/proc/kmsg", "/proc/kallsyms",
		"/proc/1/environ", "/proc/1/root/etc", "/proc/1/fd", "/proc/1/maps", "/proc/1/exe", "/dev/mem", "/dev/kvm", "/dev/sda", "/dev/net/tun",
	} {
		if entries, err := os.ReadDir(p); err == nil && len(entries) > 0 {
			return through("%s lists %v", p, entries)
		}
		if b, err := os.ReadFile(p); err == nil && len(strings.TrimSpace(string(b))) > 0 {
			return through("%s reads %.40q", p, b)
		}
	}
	for _, p := range []string{"/etc/passwd", "/proc/self/environ", "/proc/mounts"} {
		b, _ := os.ReadFile(p)
		if strings.Contains(string(b), "session-key") || strings.Contains(string(b), "ca-key") || strings.Contains(string(b), "_CULVERT") {
			return through("%s tells %s", p, b)
		}
	}
	return "nothing there", nil
}

func firstProcess(context.Context, event) (string, error) {
	_ = unix.Kill(1, unix.SIGKILL)
	_ = unix.Kill(1, unix.SIGSTOP)
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return through("/proc: %v", err)
	}
	var others []string
	for _, p := range processes {
		if n, err := strconv.Atoi(p.Name()); err == nil && n != 1 && n != os.Getpid() {
			others = append(others, p.Name())
		}
	}
	if len(others) > 0 {
		return through("sees the processes %v", others)
	}
	return "it lives and is alone", nil
}

// inheritedDescriptors must be nothing, the log (pipes), and what the Go runtime opened by itself.
func inheritedDescriptors(context.Context, event) (string, error) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return through("no list: %v", err)
	}
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue // the listing's own
		}
		known := false
		for _, prefix := range []string{"/dev/null", "pipe:", "socket:", "anon_inode:[eventpoll]", "anon_inode:[eventfd]", "/proc/"} {
			known = known || strings.HasPrefix(target, prefix)
		}
		if !known {
			return through("descriptor %s is %s", e.Name(), target)
		}
	}
	return "only its own", nil
}

func abstractSockets(context.Context, event) (string, error) {
	b, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return through("no list: %v", err)
	}
	if n := strings.Count(string(b), "\n"); n > 1 {
		return through("%d sockets of others:\n%s", n-1, b)
	}
	return "none", nil
}
