package execution

import (
	"strings"
	"testing"
	"time"
)

// available waits until so many environments of a version are idle.
func (f *fixture) available(t *testing.T, name string, want int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, n, failure := f.Provisioned(name); n == want && failure == "" {
			return
		}
	}
	allocated, n, failure := f.Provisioned(name)
	t.Fatalf("%d of %d are available, %d allocated: %s", n, want, allocated, failure)
}

func TestProvisionedEnvironmentsAreThereBeforeTheyAreNeeded(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.IdleTTL = 50 * time.Millisecond })
	fn := f.goFunction(t)
	fn.Version = "7"
	f.Provision([]Provision{{Function: fn, Count: 2}})
	f.available(t, fn.Qualified(), 2)
	time.Sleep(300 * time.Millisecond) // longer than others are kept
	f.available(t, fn.Qualified(), 2)
	r := f.call(t, fn, `{"Do":"env"}`)
	if !strings.Contains(string(r.Payload), "AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency") || r.ExecutedVersion != "7" {
		t.Errorf("version %s, environment %s", r.ExecutedVersion, r.Payload)
	}
	f.call(t, fn, `{"Do":"exit","N":1}`) // its sandbox stays, and is used again
	f.available(t, fn.Qualified(), 2)
	f.Provision(nil)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		f.mu.Lock()
		left := f.total
		f.mu.Unlock()
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d environments are left when none is provisioned", left)
		}
	}
}

func TestWhatCannotBeProvisionedSaysSo(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	fn.Version, fn.Runtime = "1", "nonsense"
	f.Provision([]Provision{{Function: fn, Count: 1}})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, _, failure := f.Provisioned(fn.Qualified()); failure != "" {
			return
		}
		if time.Now().After(end) {
			t.Fatal("nothing is said")
		}
	}
}
