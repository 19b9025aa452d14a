// Package namespace makes sandboxes out of Linux namespaces, a system call filter and, where the system lets
// us, control groups. It works the same as root and as an ordinary user, and needs no other program.
//
// A sandbox is a process tree below a PID 1 of ours (see pid1) with mount, PID, IPC, UTS and user namespaces of
// its own, in the network namespace of an attachment. What limits memory and stops processes is found out
// once (see controlGroups); without control groups a watchdog measures and signals stop.
//
// Importing the package is enough: a program that is started as a sandbox's PID 1 becomes that before its own
// main. Requires Linux 5.14.
//
// What it answers: a function has no capability in any namespace and cannot gain one; sees neither other
// processes, nor sockets, nor files of the host but /usr and what the specification shows, read-only; cannot
// reach the network but through its own namespace (AF_VSOCK, AF_PACKET and io_uring are filtered); cannot
// overwrite this program (it runs a sealed copy), take over PID 1, or outlive the daemon; is bounded in memory,
// processes, descriptors, files and space in /tmp.
//
// What it does not answer: the kernel is shared, so this is no boundary against hostile tenants. An ordinary
// user's supplementary groups stay with the function, because they cannot be dropped without privilege. Disk
// bandwidth and processor time are not limited. The log is passed on as fast as its sink takes it.
package namespace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
)

// The function's user inside a sandbox, as on AWS.
const (
	userID  = 993
	groupID = 990
)

// Driver makes sandboxes. It implements sandbox.Driver.
type Driver struct {
	log    *slog.Logger
	image  *os.File // this program, protected
	groups *controlGroups
	ids    idRange

	mu        sync.Mutex
	sandboxes map[*Sandbox]bool // guarded by mu
	closed    bool              // guarded by mu
}

var _ sandbox.Driver = (*Driver)(nil)

// New finds out what this system allows. It does not fail for lack of control groups.
func New(log *slog.Logger) (*Driver, error) {
	image, err := protectedImage()
	if err != nil {
		return nil, fmt.Errorf("protect this program: %w", err)
	}
	d := &Driver{
		log:       log,
		image:     image,
		groups:    findControlGroups(),
		ids:       findIDs(),
		sandboxes: map[*Sandbox]bool{},
	}
	log.Info("sandboxes", "control groups", d.groups.String(), "separate user ids", d.ids.separate())
	return d, nil
}

// Start makes an empty sandbox.
func (d *Driver) Start(ctx context.Context, spec sandbox.Spec, at sandbox.Network) (sandbox.Sandbox, error) {
	s, err := d.start(ctx, spec, at)
	if err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	d.mu.Lock()
	closed := d.closed
	if !closed {
		d.sandboxes[s] = true
	}
	d.mu.Unlock()
	if closed {
		return nil, errors.Join(errors.New("start sandbox: the driver is closed"), s.Close())
	}
	return s, nil
}

// forget is called by a sandbox that closes.
func (d *Driver) forget(s *Sandbox) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sandboxes, s)
}

// Close ends every sandbox.
func (d *Driver) Close() error {
	d.mu.Lock()
	d.closed = true
	var open []*Sandbox
	for s := range d.sandboxes {
		open = append(open, s)
	}
	d.mu.Unlock()
	var wg sync.WaitGroup
	for _, s := range open {
		wg.Go(func() { _ = s.Close() })
	}
	wg.Wait()
	return errors.Join(d.image.Close(), d.groups.close())
}
