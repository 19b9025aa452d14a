package pid1

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The filter lets through the system calls that were known and reviewed when it was written, except these.
// Newer ones look as if the kernel had none (ENOSYS), so that programs fall back.
var refused = []uint32{
	// mounts and namespaces
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_SETNS, unix.SYS_UNSHARE,
	unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT,
	unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_NAME_TO_HANDLE_AT,
	unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_FANOTIFY_INIT,
	// parts of the kernel with a history
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP,
	unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER, unix.SYS_KEYCTL, unix.SYS_ADD_KEY,
	unix.SYS_REQUEST_KEY, unix.SYS_PERSONALITY, unix.SYS_MBIND, unix.SYS_SET_MEMPOLICY, unix.SYS_MIGRATE_PAGES,
	unix.SYS_MOVE_PAGES, unix.SYS_SET_MEMPOLICY_HOME_NODE, unix.SYS_VMSPLICE,
	// other processes
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PROCESS_MADVISE,
	unix.SYS_PROCESS_MRELEASE, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
	// the machine
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD,
	unix.SYS_REBOOT, unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME,
	unix.SYS_ACCT, unix.SYS_SYSLOG, unix.SYS_VHANGUP, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME,
	unix.SYS_LOOKUP_DCOOKIE,
}

// lastReviewed is the highest system call number that was looked at: futex_requeue. The numbers from 424 on
// are the same on all architectures.
const lastReviewed = 456

// Offsets into struct seccomp_data; the low halves of the arguments on little-endian machines.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArg0   = 16
	offsetArg2   = 32
)

const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWTIME

// program is a filter under construction.
type program []unix.SockFilter

func (p *program) add(code uint16, k uint32, yes, no uint8) {
	*p = append(*p, unix.SockFilter{Code: code, K: k, Jt: yes, Jf: no})
}

func (p *program) load(offset uint32) { p.add(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset, 0, 0) }
func (p *program) ret(action uint32)  { p.add(unix.BPF_RET|unix.BPF_K, action, 0, 0) }

// when returns action if the comparison of the loaded word holds.
func (p *program) when(comparison uint16, k uint32, action uint32) {
	p.add(unix.BPF_JMP|comparison|unix.BPF_K, k, 0, 1)
	p.ret(action)
}

func fails(e unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e) }

// filter is the whole program. It looks at numbers and flags only; what takes pointers it cannot judge.
func filter() program {
	var p program
	p.load(offsetArch)
	p.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, auditArch, 1, 0)
	p.ret(unix.SECCOMP_RET_KILL_PROCESS)
	p.load(offsetNumber)
	p.when(unix.BPF_JGT, lastReviewed, fails(unix.ENOSYS)) // the x32 calls too: they have bit 30 set
	// Its flags are behind a pointer. The C libraries fall back to clone.
	p.when(unix.BPF_JEQ, unix.SYS_CLONE3, fails(unix.ENOSYS))
	for _, numbers := range [][]uint32{refused, refusedHere} {
		for _, n := range numbers {
			p.when(unix.BPF_JEQ, n, fails(unix.EPERM))
		}
	}
	p.clone()
	p.socket()
	p.ret(unix.SECCOMP_RET_ALLOW)
	return p
}

func (p *program) clone() {
	p.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, unix.SYS_CLONE, 0, 4)
	p.load(offsetArg0)
	p.when(unix.BPF_JSET, newNamespaces, fails(unix.EPERM))
	p.ret(unix.SECCOMP_RET_ALLOW)
}

// socket lets through the families of an ordinary program. Network namespaces do not cover AF_VSOCK, which
// would reach the hypervisor; the others are attack surface. Of netlink, what getifaddrs(3) uses.
func (p *program) socket() {
	p.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, unix.SYS_SOCKET, 0, 12)
	p.load(offsetArg0)
	p.when(unix.BPF_JEQ, unix.AF_UNIX, unix.SECCOMP_RET_ALLOW)
	p.when(unix.BPF_JEQ, unix.AF_INET, unix.SECCOMP_RET_ALLOW)
	p.when(unix.BPF_JEQ, unix.AF_INET6, unix.SECCOMP_RET_ALLOW)
	p.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, unix.AF_NETLINK, 0, 3)
	p.load(offsetArg2)
	p.when(unix.BPF_JEQ, unix.NETLINK_ROUTE, unix.SECCOMP_RET_ALLOW)
	p.ret(fails(unix.EAFNOSUPPORT))
}

// filterSystemCalls binds all threads of this process, and every program it will ever start.
func filterSystemCalls() error {
	p := filter()
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	return wrap("filter system calls", errno(e))
}
