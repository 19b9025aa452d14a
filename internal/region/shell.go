package region

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/compute/terminal"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
	"github.com/culvert-cloud/culvert/internal/view/inspect"
)

// terminalType is what $TERM may be.
var terminalType = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}$`)

// shells are tried in this order: the machine's programs are all that a sandbox sees.
var shells = []string{"/bin/bash", "/bin/sh"}

// takeWindow checks the caller's terminal, and lets a command that has one be a shell if nothing else is said.
func takeWindow(q *inspect.RunRequest) error {
	if q.Terminal == nil {
		if q.Instance != "" {
			return errors.New("a command in an instance needs a terminal")
		}
		return nil
	}
	if t := q.Terminal.Type; t != "" && !terminalType.MatchString(t) {
		return fmt.Errorf("%q is not the type of a terminal", t)
	}
	for _, s := range shells {
		if _, err := os.Stat(s); err == nil && len(q.Argv) == 0 {
			q.Argv = []string{s}
		}
	}
	return nil
}

// prompt says where one is, to a shell that reads it from its environment as bash does.
func prompt(argv []string) []string {
	if filepath.Base(argv[0]) != "bash" {
		return nil
	}
	return []string{`PS1=\h:\w\$ `}
}

func seatOf(w *inspect.Window, t inspect.Talk) terminal.Seat {
	return terminal.Seat{
		Type: w.Type, Size: terminal.Size{Rows: w.Rows, Columns: w.Columns}, Sizes: t.Sizes,
		Input: t.Stdin, Output: t.Stdout, Abandoned: t.Abandoned,
	}
}

func endOf(x sandbox.Exit) inspect.RunEnd {
	return inspect.RunEnd{Code: x.Code, Signal: x.Signal, OutOfMemory: x.OutOfMemory}
}

// visitor is a shell in a running instance.
type visitor struct {
	r        *Region
	instance resource.InstanceID
	argv     []string
	env      []string
	window   *inspect.Window
}

// visit prepares a shell in a running instance.
func (r *Region) visit(view state.Reader, q inspect.RunRequest) (inspect.Job, error) {
	if q.Subnet != "" || q.Function != "" || q.Role != "" || len(q.Groups) > 0 {
		return nil, errors.New("an instance has its own subnet, groups and role: say nothing of them")
	}
	if len(q.Mounts) > 0 {
		return nil, errors.New("an instance sees no further directories: --mount cannot be had")
	}
	i, ok := state.Get[*resource.Instance](view, resource.InstanceID(q.Instance))
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no instance %q", q.Instance)
	case i.State != resource.InstanceRunning:
		return nil, fmt.Errorf("the instance %s is %s, not running", i.ID, i.State)
	}
	return &visitor{r: r, instance: i.ID, argv: q.Argv, env: append(prompt(q.Argv), q.Env...), window: q.Terminal}, nil
}

// Run runs the shell. Its error output is its terminal.
func (v *visitor) Run(ctx context.Context, t inspect.Talk) (inspect.RunEnd, error) {
	session, err := v.r.instances.Shell(ctx, v.instance, v.argv, v.env, seatOf(v.window, t))
	if err != nil {
		return inspect.RunEnd{}, err
	}
	x, err := session.Attend(ctx)
	if err != nil {
		return inspect.RunEnd{}, err
	}
	return endOf(x), x.Err
}

// Close has nothing to remove: all is the instance's.
func (v *visitor) Close() {}
