package endpoint

import (
	"net"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// The most connections from inside the network: altogether, so that the region keeps descriptors for itself, and
// from one address, so that no function takes those of the others.
const (
	maxConnections = 4096
	maxFromSource  = 512
)

// limits counts the connections of all listeners.
type limits struct {
	total, perSource int

	mu    sync.Mutex
	all   int            // guarded by mu
	count map[source]int // guarded by mu; only what has connections
}

// source is who connects. Networks may use the same addresses.
type source struct {
	vpc     resource.VPCID
	address string
}

func newLimits(total, perSource int) *limits {
	return &limits{total: total, perSource: perSource, count: map[source]int{}}
}

// enter counts a connection, unless there are too many.
func (l *limits) enter(s source) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= l.total || l.count[s] >= l.perSource {
		return false
	}
	l.all++
	l.count[s]++
	return true
}

func (l *limits) leave(s source) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.count[s]--; l.count[s] == 0 {
		delete(l.count, s)
	}
}

// limited closes what is too many at once.
type limited struct {
	net.Listener
	limits *limits
	vpc    resource.VPCID
}

// Accept implements net.Listener.
func (l limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		s := source{vpc: l.vpc}
		if remote, ok := c.RemoteAddr().(*net.TCPAddr); ok {
			s.address = remote.IP.String()
		}
		if !l.limits.enter(s) {
			_ = c.Close()
			continue
		}
		return &counted{Conn: c, leave: sync.OnceFunc(func() { l.limits.leave(s) })}, nil
	}
}

type counted struct {
	net.Conn
	leave func()
}

// patience is how long a client may take nothing of an answer: who stops in the middle keeps what serves it.
const patience = 2 * time.Minute

// Write implements net.Conn.
func (c *counted) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
