package instance

import (
	"context"
	"errors"
	"fmt"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/compute/terminal"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// login begins at home, which the first program may not have made yet.
const login = `mkdir -p /tmp/.home && cd && exec "$@"`

// ErrNotUp is for an instance in which nothing runs.
var ErrNotUp = errors.New("the instance is not running")

// Shell starts a program on a terminal in a running instance, beside what runs there: as its user, on its interface,
// with what its script finds. It ends with the instance; what it leaves behind stays, as after a login.
func (m *Manager) Shell(ctx context.Context, id resource.InstanceID, argv, env []string, s terminal.Seat) (*terminal.Session, error) {
	m.mu.Lock()
	k, ok := m.machines[id]
	m.mu.Unlock()
	if !ok {
		return nil, ErrNotUp
	}
	c := sandbox.Command{Argv: append([]string{"/bin/sh", "-c", login, "login"}, argv...), Env: append(environ(), env...), Dir: "/"}
	var session *terminal.Session
	var err error
	answered := make(chan struct{})
	ask := func() {
		defer close(answered)
		if k.box == nil {
			err = ErrNotUp
			return
		}
		session, err = terminal.Start(k.box, c, s, k.box.Join)
	}
	select {
	case k.asks <- ask:
		<-answered
		return session, err
	case <-k.done:
		return nil, ErrNotUp
	case <-ctx.Done():
		return nil, fmt.Errorf("ask instance %s for a shell: %w", id, ctx.Err())
	}
}
