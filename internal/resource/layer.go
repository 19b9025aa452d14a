package resource

import (
	"fmt"
	"time"
)

// Layer is the name under which versions of a layer were published. It stays when they are deleted, so that no
// number is given twice.
type Layer struct {
	Name      string
	Published int
}

func (*Layer) Kind() Kind    { return KindLayer }
func (l *Layer) Key() string { return l.Name }

// LayerVersion is an archive that functions see below /opt. It never changes, but for who may use it.
type LayerVersion struct {
	Layer         string
	Version       int
	Description   string
	License       string
	Runtimes      []string
	Architectures []string
	CodeSHA256    string
	CodeKey       string
	CodeSize      int64
	Created       time.Time
	Statements    []PolicyStatement
	RevisionID    string // of the policy
}

func (*LayerVersion) Kind() Kind { return KindLayerVersion }

// Key orders the versions of a layer by number.
func (v *LayerVersion) Key() string { return LayerVersionKey(v.Layer, v.Version) }

// LayerVersionKey is the key of a layer's version.
func LayerVersionKey(layer string, version int) string {
	return fmt.Sprintf("%s:%010d", layer, version)
}
