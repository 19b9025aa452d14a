package logs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
)

// NewMemoryEvents makes a store in memory.
func NewMemoryEvents() *Events { return newEvents(newMemory(maxMemory)) }

const maxMemory = 256 << 20

var errMemoryFull = errors.New("the log events kept in memory have reached their limit; delete log groups or streams")

// memory is a medium for tests that are not about files.
type memory struct {
	limit int64

	mu   sync.Mutex
	used int64
	data map[string][]byte // guarded by mu; bytes once written do not change
}

func newMemory(limit int64) *memory { return &memory{limit: limit, data: map[string][]byte{}} }

func (m *memory) Keys(func(string) error) error { return nil } // always new, hence empty

func (m *memory) WriteAt(key string, b []byte, offset int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used+int64(len(b)) > m.limit {
		return errMemoryFull
	}
	m.data[key] = append(m.data[key][:offset], b...)
	m.used += int64(len(b))
	return nil
}

func (m *memory) Open(key string, size int64) (reader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.data[key]
	if !ok || int64(len(b)) < size {
		return nil, fs.ErrNotExist
	}
	return memoryReader{bytes.NewReader(b[:size])}, nil
}

func (m *memory) Remove(key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, b := range m.data {
		if k == key || strings.HasPrefix(k, key+"/") {
			m.used -= int64(len(b))
			delete(m.data, k)
		}
	}
	return nil
}

type memoryReader struct{ *bytes.Reader }

func (m *memory) Replace(key string, content io.Reader) error {
	b, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used += int64(len(b)) - int64(len(m.data[key]))
	m.data[key] = b
	return nil
}

func (memoryReader) Close() error { return nil }
