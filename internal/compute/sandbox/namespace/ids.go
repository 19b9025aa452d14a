package namespace

import (
	"bufio"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// firstID and idStep lay out the ids of the host that sandboxes use: far from everything that anybody
// allocates, and another block for each sandbox.
const (
	firstID = 0x70000000
	idStep  = 1024
	idSlots = 1 << 16
)

// idRange hands out ids of the host.
type idRange struct {
	free bool // ids from firstID on may be mapped
	next *atomic.Uint32
}

// findIDs looks whether this process may map ids other than its own: as real root, but not as an ordinary
// user, nor as root of most containers.
func findIDs() idRange {
	r := idRange{next: new(atomic.Uint32)}
	f, err := os.Open("/proc/self/uid_map")
	if err != nil {
		return r
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var inside, outside, count uint64
		if _, err := fmt.Sscan(lines.Text(), &inside, &outside, &count); err != nil {
			return r
		}
		if inside <= firstID && inside+count > firstID+idStep*idSlots {
			r.free = os.Getuid() == 0
		}
	}
	return r
}

func (r idRange) separate() bool { return r.free }

// apply sets the user namespace of a new sandbox. It reports whether there is only one id inside.
//
// With ids to spare a sandbox has two: its root, which PID 1 is until it has made the file system, and the
// function's, and both are nobody on the host. Otherwise the one id inside is our own, and PID 1 holds the
// capabilities it needs as ambient ones across execve.
func (r idRange) apply(attr *syscall.SysProcAttr) (single bool) {
	attr.Cloneflags |= syscall.CLONE_NEWUSER
	if !r.free {
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: userID, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: groupID, HostID: os.Getgid(), Size: 1}}
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SETPCAP, unix.CAP_SYS_CHROOT,
			unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_CHOWN}
		return true
	}
	base := firstID + int(r.next.Add(1)%idSlots)*idStep
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: base, Size: 1}, {ContainerID: userID, HostID: base + userID, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: base, Size: 1}, {ContainerID: groupID, HostID: base + groupID, Size: 1}}
	attr.GidMappingsEnableSetgroups = true
	attr.Credential = &syscall.Credential{}
	return false
}
