package iam

import (
	"fmt"
	"sync"

	"github.com/culvert-cloud/culvert/internal/api/policy"
)

// maxDocuments bounds the cache; it is emptied when it is full, which costs microseconds for each document.
const maxDocuments = 4096

// documents remembers parsed documents by what they were parsed from.
type documents struct {
	mu     sync.RWMutex
	parsed map[source]*policy.Document // guarded by mu
}

type source struct {
	name string
	kind policy.Kind
	text string
}

func newDocuments() *documents { return &documents{parsed: map[source]*policy.Document{}} }

func (d *documents) parse(name string, kind policy.Kind, text string) (*policy.Document, error) {
	key := source{name, kind, text}
	d.mu.RLock()
	doc, ok := d.parsed[key]
	d.mu.RUnlock()
	if ok {
		return doc, nil
	}
	doc, err := policy.Parse(name, kind, []byte(text))
	if err != nil {
		return nil, fmt.Errorf("parse %s policy %s: %w", kind, name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.parsed) >= maxDocuments {
		clear(d.parsed)
	}
	d.parsed[key] = doc
	return doc, nil
}
