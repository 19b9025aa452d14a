// Package objects stores the bytes of S3 objects: it runs versitygw in a child process and carries requests
// to it.
//
// The child is this program, started again under another name (see [IsChild]); it is separate because the
// engine's file store changes the working directory of its whole process. It listens on a unix socket only we
// can open, lives in an empty network namespace without privileges, believes nobody but us (a key made anew
// at every start), and dies with us. Everything it is asked for was decided before: who may do what, and what
// a bucket is, is in package service/s3, and the engine's own policies, ACLs and configuration are not used.
//
// Objects are files below Config.Dir, their metadata extended attributes or, where the file system has none,
// files beside them. The store does not call fsync: it survives the death of any process, not a power cut.
package objects

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Config says where the objects live.
type Config struct {
	Dir    string // absolute; made if missing
	Region string
	// Owner is the access key under which we speak to the engine, and therefore what it names as the owner of
	// everything: the account's canonical user id.
	Owner string
	Log   *slog.Logger
}

// Engine is a running store.
type Engine struct {
	config    Config
	child     childConfig
	run       *os.File // the directory of the socket
	transport *transport
	cancel    context.CancelFunc
	done      chan struct{} // closed when the supervisor has ended

	mu      sync.Mutex
	ready   chan struct{} // closed while the child serves; a new one whenever it does not
	pid     int           // of the child, 0: none
	served  bool          // some child has
	failure error         // how the last child ended
}

// Start starts the engine and returns when it serves. It ends with Close, or with ctx.
func Start(ctx context.Context, c Config) (*Engine, error) {
	if !filepath.IsAbs(c.Dir) {
		return nil, fmt.Errorf("start object store: directory %q is not absolute", c.Dir)
	}
	e := &Engine{config: c, done: make(chan struct{}), ready: make(chan struct{})}
	if err := e.prepare(); err != nil {
		return nil, fmt.Errorf("start object store in %s: %w", c.Dir, err)
	}
	e.transport = newTransport(e)
	running, cancel := context.WithCancel(ctx)
	e.cancel = cancel
	go e.supervise(running)
	if err := e.wait(ctx, startTimeout); err != nil {
		return nil, errors.Join(fmt.Errorf("start object store in %s: %w", c.Dir, err), e.Close())
	}
	return e, nil
}

const (
	startTimeout  = 20 * time.Second
	startAttempts = 3
)

func (e *Engine) prepare() error {
	e.child = childConfig{
		Objects:  filepath.Join(e.config.Dir, "objects"),
		Versions: filepath.Join(e.config.Dir, "versions"),
		Sidecar:  filepath.Join(e.config.Dir, "metadata"),
		Region:   e.config.Region,
		Access:   e.config.Owner,
		Secret:   rand.Text(),
	}
	run := filepath.Join(e.config.Dir, "run")
	for _, dir := range []string{e.child.Objects, e.child.Versions, e.child.Sidecar, run} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	f, err := os.Open(run)
	e.run = f
	return err
}

// Transport carries requests to the engine. It signs them with the engine's key, so a request needs nothing
// but method, path (/bucket/key), query, headers and body. X-Amz-Content-Sha256 says how the engine is to check
// the body, as in any S3 request; without it the body is not checked. While the child is being restarted,
// requests wait for it.
func (e *Engine) Transport() http.RoundTripper { return e.transport }

// Running reports whether the child serves at this moment, and its process id.
func (e *Engine) Running() (pid int, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.ready:
		return e.pid, true
	default:
		return 0, false
	}
}

// Close ends the child and waits for its end.
func (e *Engine) Close() error {
	e.cancel()
	<-e.done
	e.transport.base.CloseIdleConnections()
	return e.run.Close()
}

// wait returns when the child serves.
func (e *Engine) wait(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errors.New("object store does not answer"))
	defer cancel()
	for {
		e.mu.Lock()
		ready := e.ready
		e.mu.Unlock()
		select {
		case <-ready:
			return nil
		case <-e.done:
			return e.why(errors.New("object store has ended"))
		case <-ctx.Done():
			return e.why(context.Cause(ctx))
		}
	}
}

// why adds what the last child said.
func (e *Engine) why(err error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.failure == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, e.failure)
}

func (e *Engine) setReady(pid int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.served = true
	e.pid = pid
	close(e.ready)
}

// setGone notes how a child ended, and reports whether there is hope for another one: what never worked at all
// is not tried for long.
func (e *Engine) setGone(failure error, attempt int) (hope bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failure = failure
	select {
	case <-e.ready:
		e.ready = make(chan struct{})
	default:
	}
	e.pid = 0
	return e.served || attempt < startAttempts
}

// sendConfig writes the child's configuration. The pipe then stays open: its end is the sign to stop.
func (e *Engine) sendConfig(w io.Writer) error {
	return json.NewEncoder(w).Encode(e.child)
}
