package etcd

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func open(t *testing.T, directory string) (*state.Store, *Journal) {
	t.Helper()
	journal, err := Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(state.Config{Region: "us-west-2", Account: "000000000000", Journal: journal})
	if err != nil {
		t.Fatal(err)
	}
	return store, journal
}

func TestWhatWasCommittedIsFoundAfterARestart(t *testing.T) {
	directory := t.TempDir()
	store, journal := open(t, directory)
	role := &resource.Role{Name: "r", Path: "/", InlinePolicies: map[string]string{"p": "{}"}}
	gone := &resource.LogGroup{Name: "/aws/lambda/x"}
	if _, err := store.Update(func(tx *state.Tx) error { tx.Put(role); tx.Put(gone); return nil }); err != nil {
		t.Fatal(err)
	}
	revision, err := store.Update(func(tx *state.Tx) error { tx.Delete(gone); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}

	store, journal = open(t, directory)
	defer journal.Close()
	if got := store.View().Revision(); got != revision {
		t.Errorf("revision after restart = %d, want %d", got, revision)
	}
	got, ok := state.Get[*resource.Role](store.View(), "r")
	if !ok || !cmp.Equal(got, role) {
		t.Errorf("role after restart: %v", cmp.Diff(got, role))
	}
	if _, ok := state.Get[*resource.LogGroup](store.View(), gone.Name); ok {
		t.Error("a deleted resource came back")
	}
}

func TestOneCommitMayChangeThousandsOfResources(t *testing.T) {
	directory := t.TempDir()
	store, journal := open(t, directory)
	if _, err := store.Update(func(tx *state.Tx) error {
		for i := range 3000 {
			tx.Put(&resource.LogGroup{Name: fmt.Sprintf("/group/%04d", i)})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	journal.Close()
	store, journal = open(t, directory)
	defer journal.Close()
	if n := len(state.List[*resource.LogGroup](store.View())); n != 3000 {
		t.Errorf("%d groups after restart, want 3000", n)
	}
}

func BenchmarkCommit(b *testing.B) {
	journal, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer journal.Close()
	store, err := state.Open(state.Config{Region: "us-west-2", Account: "000000000000", Journal: journal})
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		name := fmt.Sprint("r", i%100)
		if _, err := store.Update(func(tx *state.Tx) error { tx.Put(&resource.Role{Name: name}); return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	directory := b.TempDir()
	for b.Loop() {
		journal, err := Open(directory)
		if err != nil {
			b.Fatal(err)
		}
		journal.Close()
	}
}
