// Package workload runs one command in a sandbox on a network interface, with its input and output carried to
// somebody else: what culvert run does.
//
// The command sees what a function sees, and the directories it is shown, read-only; it may write to /tmp. Its
// network is the interface and nothing else. The package makes no interface and knows nobody's permissions; see
// region for both.
package workload

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/compute/terminal"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/resource"
)

const (
	caBundle     = "/etc/pki/tls/certs/ca-bundle.crt"
	tmpBytes     = 2 << 30
	memoryBytes  = 4 << 30
	maxOpenFiles = 4096
	maxProcesses = 4096
)

// Attacher finds places in the network. dataplane.Driver is one.
type Attacher interface {
	Attach(context.Context, dataplane.Seat) (dataplane.Attachment, error)
}

// Command is what to run, and where.
type Command struct {
	ENI       resource.NetworkInterfaceID
	Address   netip.Addr // of the interface
	Argv      []string   // the program is a path inside
	Env       []string
	Dir       string
	Shown     []string // directories of the host, read-only and at their own paths
	CABundle  string   // a file that everybody may read
	Resolver  netip.Addr
	Search    string // search domain
	Hostname  string
	Name      string // unique
	Stdin     io.Reader
	Stdout    io.Writer
	Stderr    io.Writer
	Abandoned <-chan struct{} // closed when nobody waits for the command any more
	Seat      *terminal.Seat  // who sits at the command's terminal, instead of the four above; nil: it has none
}

// Run runs a command to its end, or until nobody waits for it.
func Run(ctx context.Context, network Attacher, sandboxes sandbox.Driver, c Command) (sandbox.Exit, error) {
	seat, err := network.Attach(ctx, dataplane.Seat{ENI: c.ENI, Metadata: true})
	if err != nil {
		return sandbox.Exit{}, fmt.Errorf("attach to the network: %w", err)
	}
	defer seat.Close()
	box, err := sandboxes.Start(ctx, c.spec(), seat)
	if err != nil {
		return sandbox.Exit{}, err
	}
	defer box.Close()
	if c.Seat != nil {
		return attend(ctx, box, c)
	}
	return pipe(ctx, box, c)
}

// attend runs the command on a terminal.
func attend(ctx context.Context, box sandbox.Sandbox, c Command) (sandbox.Exit, error) {
	run := func(c sandbox.Command) (<-chan sandbox.Exit, error) { return box.Exits(), box.Run(c) }
	session, err := terminal.Start(box, c.inside(), *c.Seat, run)
	if err != nil {
		return sandbox.Exit{}, err
	}
	return session.Attend(ctx)
}

func (c *Command) inside() sandbox.Command {
	return sandbox.Command{Argv: c.Argv, Env: c.Env, Dir: c.Dir}
}

// pipe runs the command with its input and output on pipes.
func pipe(ctx context.Context, box sandbox.Sandbox, c Command) (sandbox.Exit, error) {
	input, errors := box.Interactive()
	lines, _ := box.Output()
	go func() {
		_, _ = io.Copy(input, c.Stdin) // until either side ends
		input.Close()
	}()
	ended := make(chan struct{}, 2)
	for from, to := range map[*os.File]io.Writer{lines: c.Stdout, errors: c.Stderr} {
		go func() { carry(from, to); ended <- struct{}{} }()
	}
	if err := box.Run(c.inside()); err != nil {
		return sandbox.Exit{}, err
	}
	select {
	case x := <-box.Exits():
		// All processes are gone; what they wrote is still to be carried.
		for _, f := range []*os.File{lines, errors} {
			_ = f.SetReadDeadline(time.Unix(1, 0))
		}
		<-ended
		<-ended
		return x, nil
	case <-c.Abandoned:
		return sandbox.Exit{Signal: "hangup"}, nil
	case <-ctx.Done():
		return sandbox.Exit{}, ctx.Err()
	}
}

// carry copies what is written until the file's deadline, and then what is left.
func carry(from *os.File, to io.Writer) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			break
		}
	}
	raw, err := from.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		for {
			n, err := syscall.Read(int(fd), b)
			if err == syscall.EINTR {
				continue
			}
			if n <= 0 {
				return
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
	})
}

func (c *Command) spec() sandbox.Spec {
	s := sandbox.Spec{
		ID: "run-" + c.Name, Hostname: c.Hostname, Interactive: c.Seat == nil, Terminals: c.Seat != nil,
		Files: map[string]string{
			"/etc/hosts":         fmt.Sprintf("127.0.0.1 localhost localhost.localdomain\n%s %s\n", c.Address, c.Hostname),
			"/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
			"/etc/resolv.conf":   c.resolvConf(),
			"/etc/passwd":        "root:x:0:0:root:/root:/bin/bash\nrunner:x:993:990::/tmp:/bin/sh\n",
			"/etc/group":         "root:x:0:\nrunner:x:990:\n",
		},
		Links:    map[string]string{"/var/tmp": "/tmp"},
		TmpBytes: tmpBytes, MemoryBytes: memoryBytes, OpenFiles: maxOpenFiles, Processes: maxProcesses,
	}
	for _, path := range []string{caBundle, "/etc/ssl/certs/ca-certificates.crt"} {
		s.Mounts = append(s.Mounts, sandbox.Mount{Source: c.CABundle, Target: path})
	}
	for _, dir := range c.Shown {
		s.Mounts = append(s.Mounts, sandbox.Mount{Source: dir, Target: dir})
	}
	return s
}

func (c *Command) resolvConf() string {
	var b strings.Builder
	if c.Search != "" {
		fmt.Fprintf(&b, "search %s\n", c.Search)
	}
	fmt.Fprintf(&b, "nameserver %s\noptions timeout:2 attempts:5\n", c.Resolver)
	return b.String()
}

// Environ are the variables by which programs find the certificates.
func Environ() []string {
	return []string{"AWS_CA_BUNDLE=" + caBundle, "REQUESTS_CA_BUNDLE=" + caBundle, "SSL_CERT_FILE=" + caBundle, "NODE_EXTRA_CA_CERTS=" + caBundle, "HOME=/tmp", "TMPDIR=/tmp"}
}
