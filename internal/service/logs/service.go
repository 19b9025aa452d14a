package logs

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Config says what the service works with.
type Config struct {
	State  *state.Store
	Events *Events
	Now    func() time.Time // nil: time.Now
}

// Service serves CloudWatch Logs.
type Service struct {
	state  *state.Store
	events *Events
	now    func() time.Time

	// mu keeps a group from being deleted between the look at it in the state and the write of its events.
	// It is taken before the state's own lock, so handlers that hold a transaction never take it.
	mu sync.RWMutex
}

// New makes the service. Events of groups that the state does not know are dropped.
func New(c Config) (*Service, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Service{state: c.State, events: c.Events, now: c.Now}
	for _, name := range s.events.Groups() {
		if _, ok := state.Get[*resource.LogGroup](s.state.View(), name); !ok {
			if err := s.events.DeleteGroup(name); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// Append writes events to a stream, making group and stream if they are not there, as AWS's services do with
// their own logs. Whether the writer may is for the caller to decide. Messages that are too long are cut.
func (s *Service) Append(group, stream string, events []Event) error {
	if !validGroupName(group) || !validStreamName(stream) {
		return fmt.Errorf("append log events: %q in %q is no valid name of a stream and a group", stream, group)
	}
	kept := make([]Event, 0, len(events))
	for _, e := range events {
		if e.Message = cut(e.Message, maxEventBytes-eventOverhead); e.Message != "" {
			kept = append(kept, e)
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ensureGroup(group); err != nil {
		return fmt.Errorf("append log events: create log group %s: %w", group, err)
	}
	if !s.events.Has(group, stream) {
		if err := s.events.CreateStream(group, stream, s.now()); err != nil && !errors.Is(err, errStreamExists) {
			return err
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return s.events.Append(group, stream, s.now(), kept)
}

// HasStream reports whether a stream is there.
func (s *Service) HasStream(group, stream string) bool { return s.events.Has(group, stream) }

func (s *Service) ensureGroup(name string) error {
	if _, ok := state.Get[*resource.LogGroup](s.state.View(), name); ok {
		return nil
	}
	_, err := s.state.Update(func(tx *state.Tx) error {
		if _, ok := state.Get[*resource.LogGroup](tx, name); !ok {
			tx.Put(&resource.LogGroup{Name: name, CreationTime: tx.Now(), Class: classStandard})
		}
		return nil
	})
	return err
}

// cut shortens a text to at most n bytes, at the edge of a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// The limits of names and events.
const (
	maxNameLength = 512
	maxEventBytes = 1 << 20
	maxBatchBytes = 1 << 20
	eventOverhead = 26 // what AWS adds to every event's length
)

func validGroupName(name string) bool {
	return name != "" && len(name) <= maxNameLength && strings.Trim(name, groupNameCharacters) == ""
}

const groupNameCharacters = ".-_/#ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func validStreamName(name string) bool {
	return name != "" && len(name) <= maxNameLength && !strings.ContainsAny(name, ":*")
}

func checkGroupName(name string) error {
	if validGroupName(name) {
		return nil
	}
	return constraint(name, "logGroupName", `Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)
}

func checkStreamName(name string) error {
	if validStreamName(name) {
		return nil
	}
	return constraint(name, "logStreamName", `Member must satisfy regular expression pattern: [^:*]*`)
}

func constraint(value, member, text string) error {
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, member, text)
}

func invalid(format string, args ...any) error {
	return api.Errorf("InvalidParameterException", format, args...)
}

func noGroup() error {
	return api.Errorf("ResourceNotFoundException", "The specified log group does not exist.")
}

func noStream() error {
	return api.Errorf("ResourceNotFoundException", "The specified log stream does not exist.")
}

// findGroup looks a group up by its name, or by its name or ARN if that is what the caller gave.
func findGroup(r state.Reader, name, identifier *string) (*resource.LogGroup, error) {
	n, err := groupName(r, name, identifier)
	if err != nil {
		return nil, err
	}
	g, ok := state.Get[*resource.LogGroup](r, n)
	if !ok {
		return nil, noGroup()
	}
	return g, nil
}

func groupName(r state.Reader, name, identifier *string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", invalid("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	case name == nil && identifier == nil:
		return "", invalid("At least one of logGroupName or logGroupIdentifier must be specified.")
	case name != nil:
		return *name, checkGroupName(*name)
	}
	n, ok := nameFromARN(r, *identifier)
	if !ok {
		n = *identifier
	}
	return n, checkGroupName(n)
}

// groupARN is a group's ARN in the form without the trailing :*.
func groupARN(r state.Reader, name string) string { return arnPrefix(r) + name }

func arnPrefix(r state.Reader) string {
	return fmt.Sprintf("arn:aws:logs:%s:%s:log-group:", r.Region(), r.Account())
}

// nameFromARN returns the name in a group's ARN, which may end in :*.
func nameFromARN(r state.Reader, arn string) (string, bool) {
	name, ok := strings.CutPrefix(arn, arnPrefix(r))
	return strings.TrimSuffix(name, ":*"), ok
}

// value is what an optional member holds, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
