package objects

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// noRoot is SECBIT_NOROOT and SECBIT_NO_SETUID_FIXUP, each with its lock (linux/securebits.h): being root alone
// gives no capability to a program that is started.
const noRoot = 1<<0 | 1<<1 | 1<<2 | 1<<3

// confined marks the child's second start, after it gave up its privileges.
const confined = "confined"

// confine takes from this process what storing files does not need, and starts it again without: only a new
// program image makes sure that no thread of the Go runtime keeps anything. The network is gone already; the
// parent started us in an empty namespace. Of the capabilities we keep the two that let root write into a
// directory that someone else owns.
func confine() error {
	runtime.LockOSThread() // what follows is a thread's; the thread that executes the program takes it along
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, noRoot, 0, 0, 0); err != nil {
		return fmt.Errorf("give up being root: %w", err)
	}
	keep := []uint{unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER}
	var set uint32
	for _, c := range keep {
		set |= 1 << c
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{{Effective: set, Permitted: set, Inheritable: set}}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	for _, c := range keep {
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(c), 0, 0); err != nil {
			return fmt.Errorf("keep capability %d: %w", c, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("forbid new privileges: %w", err)
	}
	err := unix.Exec("/proc/self/exe", []string{childName, confined}, os.Environ())
	return fmt.Errorf("start again without privileges: %w", err)
}
