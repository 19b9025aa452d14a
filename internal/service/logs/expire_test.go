package logs

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func TestOldEventsAreRemovedFromTheDisk(t *testing.T) {
	dir := t.TempDir()
	e := openTestEvents(t, dir)
	var want []string
	for i := range 400 { // of a kilobyte each: some blocks
		text := fmt.Sprintf("%d %s", i, strings.Repeat("x", 1<<10))
		mustAppend(t, e, "g", "s", Event{int64(i), text})
		if i >= 200 {
			want = append(want, text)
		}
	}
	size := func() int64 {
		info, err := os.Stat(streamFile(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	after := query{Until: everything.Until, Limit: 10, From: 200}
	records, _, err := e.read("g", []string{"s"}, after)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Expire("g", 200); err != nil {
		t.Fatal(err)
	}
	if now := size(); now > before*2/3 || now < before/3 {
		t.Errorf("the file has %d of %d bytes", now, before)
	}
	again, _, err := e.read("g", []string{"s"}, after)
	if err != nil || !slices.Equal(again, records) {
		t.Errorf("a page reads otherwise than before: %v, %v", again, err)
	}
	mustAppend(t, e, "g", "s", Event{500, "later"})
	want = append(want, "later")
	for _, reopened := range []bool{false, true} {
		if reopened {
			e = openTestEvents(t, dir)
		}
		q := everything
		q.From = 200
		if diff := cmp.Diff(messages(t, e, "g", []string{"s"}, q), want); diff != "" {
			t.Errorf("reopened %v: events (-got +want):\n%s", reopened, diff)
		}
		info := e.Streams("g")[0]
		if info.LastEvent != 500 || info.Events < 201 || info.Events > 270 {
			t.Errorf("reopened %v: %+v", reopened, info)
		}
		if reopened {
			break
		}
	}
	live := e.Streams("g")[0]
	if fresh := openTestEvents(t, dir).Streams("g")[0]; live.Bytes != fresh.Bytes || live.Events != fresh.Events {
		t.Errorf("counted %+v, and after a restart %+v", live, fresh)
	}
	if err := e.Expire("g", 1000); err != nil {
		t.Fatal(err)
	}
	if got := messages(t, e, "g", []string{"s"}, everything); len(got) != 0 || !e.Has("g", "s") {
		t.Errorf("%d events are left, the stream is there: %v", len(got), e.Has("g", "s"))
	}
}

func TestRetentionRemovesEventsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, err := state.Open(state.Config{Region: "us-west-2", Account: "000000000000", Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		e := NewMemoryEvents()
		s, err := New(Config{State: st, Events: e})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.Update(func(tx *state.Tx) error {
			tx.Put(&resource.LogGroup{Name: "kept"})
			tx.Put(&resource.LogGroup{Name: "day", RetentionInDays: 1})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, g := range []string{"kept", "day"} {
			mustAppend(t, e, g, "s", Event{time.Now().UnixMilli(), "text"})
		}
		ctx, stop := context.WithCancel(t.Context())
		go s.Expire(ctx, func(err error) { t.Error(err) })
		time.Sleep(25 * time.Hour)
		if day, kept := e.Streams("day")[0].Events, e.Streams("kept")[0].Events; day != 0 || kept != 1 {
			t.Errorf("after a day the groups have %d and %d events, want 0 and 1", day, kept)
		}
		stop()
		synctest.Wait()
	})
}
