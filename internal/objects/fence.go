package objects

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fence takes every file of the machine from this process but those in the directories, for good (Landlock). The
// engine is a program of others that makes paths out of what callers send, and it may be root. Where the kernel has
// no Landlock it goes on without: the front lets no name through that leads elsewhere.
func fence(directories ...string) error {
	version, _, e := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if e != 0 {
		return nil
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: fileAccess(int(version))}
	size := unsafe.Sizeof(attr.Handled_access_fs) // what later versions added is not ours to use
	fd, _, e := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if e != 0 {
		return fmt.Errorf("make rules for files: %w", e)
	}
	rules := os.NewFile(fd, "rules")
	defer rules.Close()
	for _, d := range directories {
		if err := allowBelow(rules, d, attr.Handled_access_fs&^unix.LANDLOCK_ACCESS_FS_EXECUTE); err != nil {
			return fmt.Errorf("allow files in %s: %w", d, err)
		}
	}
	// The engine links a finished file by its entry among the descriptors.
	if err := allowBelow(rules, "/proc", unix.LANDLOCK_ACCESS_FS_READ_DIR); err != nil {
		return fmt.Errorf("allow the list of descriptors: %w", err)
	}
	// Each thread for itself, and those to come as the one that makes them.
	_, _, e = syscall.AllThreadsSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, rules.Fd(), 0, 0)
	if errors.Is(e, syscall.ENOTSUP) { // a program built with cgo, as under the race detector
		return nil
	}
	if e != 0 {
		return fmt.Errorf("give up other files: %w", e)
	}
	return nil
}

// fileAccess is all that a version of Landlock can take away.
func fileAccess(version int) uint64 {
	access := uint64(unix.LANDLOCK_ACCESS_FS_MAKE_SYM)<<1 - 1
	if version >= 2 {
		access |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		access |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	return access
}

func allowBelow(rules *os.File, directory string, access uint64) error {
	fd, err := unix.Open(directory, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, e := syscall.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, rules.Fd(), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if e != 0 {
		return e
	}
	return nil
}
