package instance

import (
	"bytes"
	"sync"
	"time"
)

// consoleSize is how much of an instance's output is remembered: as much as GetConsoleOutput returns.
const consoleSize = 64 << 10

// console remembers the end of what was written to it.
type console struct {
	mu   sync.Mutex
	text []byte    // guarded by mu
	at   time.Time // of the last write; guarded by mu
}

func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = append(c.text, b...)
	if over := len(c.text) - consoleSize; over > 0 {
		c.text = append(c.text[:0], c.text[over:]...)
	}
	c.at = time.Now()
	return len(b), nil
}

func (c *console) last() ([]byte, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.text), c.at
}
