package inspect

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/view/stream"
)

// Upgrade is the protocol that a connection speaks once its command runs.
const Upgrade = "culvert-run"

// RunRequest is what POST /_culvert/run is asked.
type RunRequest struct {
	Function string   `json:"function"` // takes what is not said below from this function
	Subnet   string   `json:"subnet"`
	Groups   []string `json:"groups"` // none: the default group
	Role     string   `json:"role"`   // name or ARN; empty: no credentials
	Argv     []string `json:"argv"`
	Found    string   `json:"found"` // where the caller would find the program
	Env      []string `json:"env"`   // NAME=VALUE
	Path     string   `json:"path"`  // the caller's
	Dir      string   `json:"dir"`   // the caller's, shown
	Mounts   []string `json:"mounts"`
	Instance string   `json:"instance"` // run it in this running instance, instead of on an interface of its own
	Terminal *Window  `json:"terminal"` // the caller's, if the command is to have one; it is then a shell, unless Argv says more
}

// Window is a terminal, as the command sees it first.
type Window struct {
	Type    string `json:"type"` // $TERM
	Rows    uint16 `json:"rows"`
	Columns uint16 `json:"columns"`
}

// Talk is what a command and its caller have to say to each other.
type Talk struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Sizes          <-chan stream.Size // what the window becomes
	Abandoned      <-chan struct{}    // closed when nobody waits any more
}

// Job is a command that is ready to run.
type Job interface {
	// Run runs it to its end.
	Run(context.Context, Talk) (RunEnd, error)
	// Close removes what was made for it.
	Close()
}

// RunEnd is how a command ended.
type RunEnd struct {
	Code        int    `json:"code"`
	Signal      string `json:"signal,omitempty"`
	OutOfMemory bool   `json:"outOfMemory,omitempty"`
	Error       string `json:"error,omitempty"` // it could not run
}

// serveRun runs a command for whoever can show the key, which only the operator can read: a command sees the
// operator's files, and others on this machine may reach this address too.
func (c *Config) serveRun(w http.ResponseWriter, r *http.Request) {
	job, err := c.prepareRun(r)
	if err != nil {
		c.answer(w, r, func(*http.Request) (any, error) { return nil, err })
		return
	}
	closeJob := sync.OnceFunc(job.Close)
	defer closeJob()
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		c.answer(w, r, func(*http.Request) (any, error) { return nil, err })
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Time{})
	if _, err := io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+Upgrade+"\r\n\r\n"); err != nil {
		return
	}
	frames := stream.New(buffered.Reader, conn)
	input, feed := io.Pipe()
	abandoned, sizes := make(chan struct{}), make(chan stream.Size, 1)
	go func() {
		defer close(abandoned)
		listen(frames, feed, sizes)
	}()
	end, err := job.Run(context.Background(), Talk{
		Stdin: input, Stdout: frames.Writer(stream.Stdout), Stderr: frames.Writer(stream.Stderr), Sizes: sizes, Abandoned: abandoned,
	})
	input.Close()
	if err != nil {
		end.Error = err.Error()
	}
	closeJob()                   // before the caller is told: what was made for the command is gone when it has ended
	text, _ := json.Marshal(end) // always can
	_ = frames.Send(stream.End, text)
}

// listen passes on what the command is to read, and the last size of the window, until the other side goes.
func listen(frames *stream.Conn, feed *io.PipeWriter, sizes chan stream.Size) {
	defer feed.Close()
	for {
		kind, b, err := frames.Receive()
		switch {
		case err != nil:
			return
		case kind == stream.Stdin:
			_, _ = feed.Write(b) // the command may not care
		case kind == stream.StdinEnd:
			feed.Close()
		case kind == stream.Resize:
			size, err := stream.ReadSize(b)
			if err != nil {
				return
			}
			select {
			case <-sizes: // nobody has looked at it yet
			default:
			}
			sizes <- size
		}
	}
}

// maxRunRequest is how long a request may be.
const maxRunRequest = 1 << 20

func (c *Config) prepareRun(r *http.Request) (Job, error) {
	if c.Run == nil || subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Culvert-Key")), c.RunKey) != 1 || len(c.RunKey) == 0 {
		return nil, &problem{http.StatusForbidden, "only who started the region may run commands in it: the key is wrong"}
	}
	var q RunRequest
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxRunRequest))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		return nil, badRequest("read the request: %v", err)
	}
	job, err := c.Run(r.Context(), q)
	if err != nil {
		return nil, badRequest("%v", err)
	}
	return job, nil
}
