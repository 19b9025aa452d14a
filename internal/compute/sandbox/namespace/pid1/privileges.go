package pid1

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// giveUp gives up every privilege for good. The order matters: each step needs what a later one takes away.
func giveUp(s *Spec) error {
	unix.Umask(0o022)
	if err := limit(s); err != nil {
		return err
	}
	// This thread's only; the others never start a program.
	for c := uintptr(0); c <= 63; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err == unix.EINVAL {
			break // past the last capability
		} else if err != nil {
			return wrap("drop capabilities", err)
		}
	}
	if err := changeUser(s); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return wrap("refuse new privileges", err)
	}
	// We share a user with the function; without this it could write into our memory by /proc/1/mem.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return wrap("forbid inspection", err)
	}
	// Changing credentials disarmed the parent-death signal.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return wrap("arm the parent-death signal", err)
	}
	return filterSystemCalls()
}

func limit(s *Spec) error {
	for _, l := range []struct {
		resource int
		value    uint64
	}{
		{unix.RLIMIT_NOFILE, s.OpenFiles},
		// Counted for each user of each user namespace, and each sandbox has its own.
		{unix.RLIMIT_NPROC, s.Processes},
		{unix.RLIMIT_MEMLOCK, 64 << 10},
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_MSGQUEUE, 0},
	} {
		if err := syscall.Setrlimit(l.resource, &syscall.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return wrap("set limits", err)
		}
	}
	return nil
}

// changeUser becomes the function's user. With a single mapped id we are that user already and hold the new
// namespace's capabilities by themselves.
func changeUser(s *Spec) error {
	if s.SingleID {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		_, _, e := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none[0])), 0)
		if e == unix.ENOTSUP {
			// A program built with cgo, as under the race detector. This thread is the one that starts programs.
			return wrap("drop capabilities", unix.Capset(&header, &none[0]))
		}
		return wrap("drop capabilities", errno(e))
	}
	if err := syscall.Setgroups(nil); err != nil {
		return wrap("leave groups", err)
	}
	if err := syscall.Setgid(s.GID); err != nil {
		return wrap("change group", err)
	}
	return wrap("change user", syscall.Setuid(s.UID))
}
