// Package instance runs EC2 instances: each is a sandbox in the namespace of its first network interface, where further
// ones come and go as links, with a first program that lives as long as the instance and, at the first boot, the owner's script.
//
// A [Manager] is given all instances as they should be, again and again, and tells what became of them; it stores
// nothing. Each instance is driven by one goroutine of its own. What an instance may ask about itself, at
// 169.254.169.254, is answered in its own namespace and nowhere else (see metadata.go).
//
// What differs from AWS: programs are this machine's, read-only; the script runs as ec2-user without privileges;
// the disk is memory and is empty after a stop. The operations are in service/ec2, the isolation in
// compute/sandbox.
package instance

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Event is what became of an instance.
type Event int

// The events.
const (
	Started Event = iota // it is up
	Ended                // it is gone, as was wanted or by itself
	Failed               // it could not be started
)

// Attacher finds places in the network. dataplane.Driver is one.
type Attacher interface {
	Attach(context.Context, dataplane.Seat) (dataplane.Attachment, error)
}

// Config is what a manager needs.
type Config struct {
	Log     *slog.Logger
	Network Attacher
	Sandbox sandbox.Driver
	// CABundle is a PEM file that everybody may read: the certificates instances trust.
	CABundle string
	// Facts are what an instance may know of itself; false: it is gone.
	Facts func(resource.InstanceID) (Facts, bool)
	// Credentials makes a session of the role of the instance's profile.
	Credentials func(context.Context, resource.InstanceID) (Credentials, error)
	// Memory is how much of it an instance has, in bytes.
	Memory func(*resource.Instance) int64
	// Report is told what became of an instance. It may take its time.
	Report func(resource.InstanceID, Event)
}

// Manager runs instances.
type Manager struct {
	cfg    Config
	secret []byte // of metadata tokens

	mu       sync.Mutex
	machines map[resource.InstanceID]*machine // guarded by mu
	closed   bool                             // guarded by mu
}

// New makes a manager.
func New(c Config) *Manager {
	return &Manager{cfg: c, secret: newSecret(), machines: map[resource.InstanceID]*machine{}}
}

// Apply is given all instances as they should be. It returns at once.
func (m *Manager) Apply(wanted []*resource.Instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	seen := map[resource.InstanceID]bool{}
	for _, i := range wanted {
		seen[i.ID] = true
		k, ok := m.machines[i.ID]
		if !ok {
			if i.State == resource.InstanceStopped || i.Gone() {
				continue // nothing to do, and nothing to remember
			}
			k = m.newMachine(i)
			m.machines[i.ID] = k
			go k.run()
		}
		k.tell(i)
	}
	for id, k := range m.machines {
		if !seen[id] {
			k.tell(nil)
			delete(m.machines, id)
		}
	}
}

// Console returns what an instance has written last, and when.
func (m *Manager) Console(id resource.InstanceID) ([]byte, time.Time) {
	m.mu.Lock()
	k, ok := m.machines[id]
	m.mu.Unlock()
	if !ok {
		return nil, time.Time{}
	}
	return k.console.last()
}

// Close ends all instances without a word.
func (m *Manager) Close() {
	m.mu.Lock()
	m.closed = true
	machines := m.machines
	m.machines = map[resource.InstanceID]*machine{}
	m.mu.Unlock()
	for _, k := range machines {
		k.tell(nil)
	}
	for _, k := range machines {
		<-k.done
	}
}
