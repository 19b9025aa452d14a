package etcd

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
	"go.uber.org/zap"
)

// TestAServerThatGaveUpIsNotWrittenTo rings the alarm as the server does: by a fatal log entry.
func TestAServerThatGaveUpIsNotWrittenTo(t *testing.T) {
	store, journal := open(t, t.TempDir())
	put := func(name string) error {
		_, err := store.Update(func(tx *state.Tx) error { tx.Put(&resource.LogGroup{Name: name}); return nil })
		return err
	}
	if err := put("before"); err != nil {
		t.Fatal(err)
	}
	go journal.server.GetLogger().Fatal("failed to save", zap.Error(errors.New("no space left on device")))
	<-journal.alarm.context.Done()
	start := time.Now()
	if err := put("after"); err == nil || !strings.Contains(err.Error(), "failed to save: no space left on device") {
		t.Errorf("put = %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
	if _, ok := state.Get[*resource.LogGroup](store.View(), "after"); ok {
		t.Error("what was not written is there")
	}
	if err := journal.Close(); err != nil {
		t.Errorf("close = %v", err)
	}
}
