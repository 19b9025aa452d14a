package namespace

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/compute/sandbox/namespace/pid1"
)

// maxTerminals is how many terminals a sandbox may have at a time.
const maxTerminals = "64"

// errNoTerminals is for a sandbox that was made without.
var errNoTerminals = errors.New("the sandbox has no terminals")

// addTerminals makes an instance of the file system of terminals for one sandbox: none of the machine's terminals is
// in it, and what is in it is seen by nobody else. The mount is returned, too, for making terminals from out here.
func (v *view) addTerminals(attr *syscall.SysProcAttr) (*os.File, error) {
	mount, err := terminals(attr)
	if err != nil {
		return nil, fmt.Errorf("make the terminals: %w", err)
	}
	kept, err := unix.FcntlInt(mount.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		mount.Close()
		return nil, fmt.Errorf("keep the terminals: %w", err)
	}
	v.mounts = append(v.mounts, pid1.Mount{FD: pid1.FirstMount + len(v.files), Target: "/dev/pts", Dir: true})
	v.files = append(v.files, mount)
	v.links["/dev/ptmx"] = "pts/ptmx"
	if err := v.add("/dev/tty", "/dev/tty", true); err != nil && !os.IsNotExist(err) { // whatever terminal a process controls
		unix.Close(kept)
		return nil, err
	}
	return os.NewFile(uintptr(kept), "terminals"), nil
}

// terminals mounts the file system, nowhere yet. What is made in it belongs to the sandbox's user.
func terminals(attr *syscall.SysProcAttr) (*os.File, error) {
	fs, err := unix.Fsopen("devpts", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fs)
	for _, option := range [][2]string{
		{"uid", strconv.Itoa(attr.UidMappings[len(attr.UidMappings)-1].HostID)},
		{"gid", strconv.Itoa(attr.GidMappings[len(attr.GidMappings)-1].HostID)},
		{"mode", "0620"}, {"ptmxmode", "0666"}, {"max", maxTerminals},
	} {
		if err := unix.FsconfigSetString(fs, option[0], option[1]); err != nil {
			return nil, fmt.Errorf("set %s: %w", option[0], err)
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, err
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(mount), "terminals"), nil
}

// OpenTerminal makes a terminal in the sandbox.
func (s *Sandbox) OpenTerminal() (*os.File, string, error) {
	if s.terminals == nil {
		return nil, "", errNoTerminals
	}
	fd, err := unix.Openat(int(s.terminals.Fd()), "ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", fmt.Errorf("make a terminal in sandbox %s: %w", s.id, err)
	}
	ours := os.NewFile(uintptr(fd), "terminal")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		ours.Close()
		return nil, "", fmt.Errorf("unlock the terminal: %w", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		ours.Close()
		return nil, "", fmt.Errorf("number the terminal: %w", err)
	}
	return ours, "/dev/pts/" + strconv.Itoa(number), nil
}

// Join starts a program beside the main process.
func (s *Sandbox) Join(c sandbox.Command) (<-chan sandbox.Exit, error) {
	number, exits := s.guests.add()
	err := s.send(pid1.Command{Op: pid1.Join, Generation: number, Argv: c.Argv, Env: c.Env, Dir: c.Dir, Terminal: c.Terminal})
	if err != nil {
		s.guests.left(number, sandbox.Exit{Err: err})
		return nil, err
	}
	return exits, nil
}

// guests are the programs beside the main process.
type guests struct {
	mu      sync.Mutex
	gone    bool                      // guarded by mu: the sandbox is
	last    int                       // guarded by mu
	waiting map[int]chan sandbox.Exit // guarded by mu
}

func (g *guests) add() (int, <-chan sandbox.Exit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	exits := make(chan sandbox.Exit, 1)
	g.last++
	if g.gone {
		close(exits)
		return g.last, exits
	}
	if g.waiting == nil {
		g.waiting = map[int]chan sandbox.Exit{}
	}
	g.waiting[g.last] = exits
	return g.last, exits
}

// left tells the end of one, if that is true: PID 1 is not to be trusted.
func (g *guests) left(number int, x sandbox.Exit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if exits, ok := g.waiting[number]; ok {
		delete(g.waiting, number)
		exits <- x
		close(exits)
	}
}

// forget closes the channels of those that went with the sandbox.
func (g *guests) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gone = true
	for _, exits := range g.waiting {
		close(exits)
	}
	g.waiting = nil
}
