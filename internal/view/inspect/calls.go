package inspect

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/calls"
	"github.com/culvert-cloud/culvert/internal/view/suggest"
)

// Calls is the log of calls.
type Calls interface {
	// Each calls f with every line that is kept, oldest first, until it returns false; now is how many there have been.
	Each(f func(line []byte) bool) (now uint64, err error)
	// Since returns the lines after the first n, how many there are, and a channel that is closed when there are more.
	Since(n uint64) (lines [][]byte, now uint64, more <-chan struct{})
}

// maxCalls is how many calls one answer lists at most.
const maxCalls = 10000

// choice is which calls are wanted.
type choice struct {
	role, endpoint string
	denied         bool
}

func choiceOf(r *http.Request) choice {
	q := r.URL.Query()
	return choice{role: q.Get("role"), endpoint: q.Get("endpoint"), denied: q.Get("denied") == "true"}
}

func (c choice) all() bool { return c == choice{} }

func (c choice) wants(e *calls.Event) bool {
	if c.endpoint != "" && e.VPCEndpointID != c.endpoint {
		return false
	}
	if c.denied && !isDenied(e) {
		return false
	}
	if c.role == "" {
		return true
	}
	s := e.UserIdentity.SessionContext
	return s != nil && (s.SessionIssuer.UserName == c.role || s.SessionIssuer.ARN == c.role)
}

func isDenied(e *calls.Event) bool {
	for _, d := range e.AdditionalEventData.Decisions {
		if !d.Allowed {
			return true
		}
	}
	return e.AdditionalEventData.Status == http.StatusForbidden
}

func (c choice) wantsLine(line []byte) bool {
	if c.all() {
		return true
	}
	var e calls.Event
	return json.Unmarshal(line, &e) == nil && c.wants(&e)
}

// serveCalls answers with the newest calls, a line each, and with follow=true goes on until the caller leaves.
func (c *Config) serveCalls(w http.ResponseWriter, r *http.Request) {
	last, err := strconv.Atoi(r.URL.Query().Get("last"))
	if err != nil || last < 0 || last > maxCalls {
		c.answer(w, r, func(*http.Request) (any, error) {
			return nil, badRequest("last is how many calls, 0 to %d", maxCalls)
		})
		return
	}
	wanted := choiceOf(r)
	lines, now, err := c.newest(last, wanted)
	if err != nil {
		c.answer(w, r, func(*http.Request) (any, error) { return nil, err })
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	if !writeLines(w, lines) || r.URL.Query().Get("follow") != "true" {
		return
	}
	for {
		added, upTo, more := c.Calls.Since(now)
		now = upTo
		var lines [][]byte
		for _, line := range added {
			if wanted.wantsLine(line) {
				lines = append(lines, line)
			}
		}
		if !writeLines(w, lines) || http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-more:
		case <-r.Context().Done():
			return
		case <-c.Ending:
			return
		}
	}
}

func writeLines(w http.ResponseWriter, lines [][]byte) bool {
	for _, line := range lines {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(10 * time.Second)) // who does not read is let go
		if _, err := w.Write(append(line, '\n')); err != nil {
			return false
		}
	}
	return true
}

// newest returns the last n lines that are wanted.
func (c *Config) newest(n int, wanted choice) (lines [][]byte, now uint64, err error) {
	now, err = c.Calls.Each(func(line []byte) bool {
		if !json.Valid(line) || !wanted.wantsLine(line) {
			return true
		}
		lines = append(lines, bytes.Clone(line))
		if len(lines) > 2*n {
			lines = append([][]byte(nil), lines[len(lines)-n:]...)
		}
		return true
	})
	return lines[max(0, len(lines)-n):], now, err
}

// suggest answers with a policy for a role or an endpoint, from the calls that were seen.
func (c *Config) suggest(r *http.Request) (any, error) {
	wanted := choiceOf(r)
	wanted.denied = false
	if (wanted.role == "") == (wanted.endpoint == "") {
		return nil, badRequest("say either role or endpoint")
	}
	if wanted.endpoint != "" && !strings.HasPrefix(wanted.endpoint, "vpce-") {
		return nil, badRequest("%q is not the id of a VPC endpoint", wanted.endpoint)
	}
	log := suggest.NewLog()
	if _, err := c.Calls.Each(func(line []byte) bool {
		var e calls.Event
		if json.Unmarshal(line, &e) == nil {
			log.Add(&e, wanted.wants(&e))
		}
		return true
	}); err != nil {
		return nil, err
	}
	write := log.ForRole
	if wanted.endpoint != "" {
		write = log.ForEndpoint
	}
	s, err := write()
	if err != nil {
		return nil, notFound("%s", err)
	}
	return s, nil
}
