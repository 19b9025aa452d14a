package instance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// startLimit is how long making an instance's sandbox may take.
const startLimit = 30 * time.Second

// machine is one instance. Its goroutine alone touches what is below want.
type machine struct {
	m       *Manager
	id      resource.InstanceID
	console console
	wake    chan struct{}
	done    chan struct{}
	asks    chan func()                       // what is to be done between two changes
	want    atomic.Pointer[resource.Instance] // nil: it is to go

	boots    int // the wanted one's, when it was last started
	seat     dataplane.Attachment
	box      sandbox.Sandbox
	exits    <-chan sandbox.Exit
	metadata *http.Server
}

func (m *Manager) newMachine(i *resource.Instance) *machine {
	return &machine{m: m, id: i.ID, wake: make(chan struct{}, 1), done: make(chan struct{}), asks: make(chan func())}
}

// tell says how the instance should be.
func (k *machine) tell(i *resource.Instance) {
	k.want.Store(i)
	select {
	case k.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (k *machine) run() {
	defer close(k.done)
	defer k.end()
	for {
		select {
		case <-k.wake:
			i := k.want.Load()
			if i == nil {
				return
			}
			k.follow(i)
		case ask := <-k.asks:
			ask()
		case <-k.exits:
			// Its first program has ended, and all others with it: a machine that was switched off from within.
			k.end()
			k.m.cfg.Report(k.id, Ended)
		}
	}
}

// follow makes the machine as the instance should be.
func (k *machine) follow(i *resource.Instance) {
	switch i.State {
	case resource.InstancePending, resource.InstanceRunning:
		if k.boots == i.Boots {
			return
		}
		k.boots = i.Boots
		if err := k.start(i); err != nil {
			k.m.cfg.Log.Error("instance not started", "instance", i.ID, "error", err)
			k.end()
			k.m.cfg.Report(k.id, Failed)
			return
		}
		k.m.cfg.Report(k.id, Started)
	case resource.InstanceStopping, resource.InstanceShuttingDown:
		k.end()
		k.m.cfg.Report(k.id, Ended)
	default:
		k.end()
	}
}

// start boots the instance, or boots it again where it stands.
func (k *machine) start(i *resource.Instance) error {
	if k.box != nil {
		if err := k.halt(); err != nil {
			return err
		}
	} else if err := k.make(i); err != nil {
		return err
	}
	fmt.Fprintf(&k.console, "culvert: %s starts\n", i.ID)
	return k.box.Run(command(i))
}

// halt ends everything that runs, and keeps the sandbox.
func (k *machine) halt() error {
	if err := k.box.Kill(); err != nil {
		return err
	}
	select {
	case <-k.exits:
		return nil
	case <-time.After(startLimit):
		return errors.New("the programs of the instance do not end")
	}
}

// make makes the sandbox on the instance's interface.
func (k *machine) make(i *resource.Instance) error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	facts, ok := k.m.cfg.Facts(i.ID)
	if !ok {
		return errors.New("the instance is gone")
	}
	var err error
	if k.seat, err = k.m.cfg.Network.Attach(ctx, dataplane.Seat{ENI: i.InterfaceID, Metadata: true}); err != nil {
		return err
	}
	l, err := k.seat.Listen("tcp4", dataplane.MetadataListener)
	if err != nil {
		return fmt.Errorf("listen for questions about the instance: %w", err)
	}
	k.metadata = k.m.serveMetadata(i.ID, l)
	if k.box, err = k.m.cfg.Sandbox.Start(ctx, k.m.spec(i, facts), k.seat); err != nil {
		return err
	}
	k.exits = k.box.Exits()
	lines, frames := k.box.Output()
	go func() { _, _ = io.Copy(&k.console, lines) }() // until the sandbox closes it
	go func() { _, _ = io.Copy(io.Discard, frames) }()
	return nil
}

// end ends the sandbox and lets go of the interface.
func (k *machine) end() {
	if k.metadata != nil {
		_ = k.metadata.Close()
	}
	if k.box != nil {
		if err := k.box.Close(); err != nil {
			k.m.cfg.Log.Error("sandbox not closed", "instance", k.id, "error", err)
		}
	}
	if k.seat != nil {
		if err := k.seat.Close(); err != nil {
			k.m.cfg.Log.Error("interface not let go", "instance", k.id, "error", err)
		}
	}
	k.metadata, k.box, k.seat, k.exits = nil, nil, nil, nil
}
