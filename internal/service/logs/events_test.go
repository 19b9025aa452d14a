package logs

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var everything = query{Until: math.MaxInt64, Limit: maxEvents}

func messages(t *testing.T, e *Events, group string, streams []string, q query) []string {
	t.Helper()
	records, _, err := e.read(group, streams, q)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range records {
		out = append(out, r.Message)
	}
	return out
}

func mustAppend(t *testing.T, e *Events, group, stream string, events ...Event) {
	t.Helper()
	if !e.Has(group, stream) {
		if err := e.CreateStream(group, stream, time.UnixMilli(1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Append(group, stream, time.UnixMilli(99), events); err != nil {
		t.Fatal(err)
	}
}

func openTestEvents(t *testing.T, dir string) *Events {
	t.Helper()
	e, err := OpenEvents(dir)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func streamFile(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"+streamSuffix))
	if err != nil || len(files) != 1 {
		t.Fatalf("found files %v, error %v; want one file", files, err)
	}
	return files[0]
}

func TestEventsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	e := openTestEvents(t, dir)
	mustAppend(t, e, "/aws/lambda/f", "2026/11/24/[$LATEST]ab", Event{5, "one"}, Event{6, "two\n"})
	if err := e.CreateStream("g", "empty", time.UnixMilli(7)); err != nil {
		t.Fatal(err)
	}
	want := [][]StreamInfo{e.Streams("/aws/lambda/f"), e.Streams("g")}

	e = openTestEvents(t, dir)
	if diff := cmp.Diff([][]StreamInfo{e.Streams("/aws/lambda/f"), e.Streams("g")}, want); diff != "" {
		t.Errorf("streams after a restart (-got +want):\n%s", diff)
	}
	got := messages(t, e, "/aws/lambda/f", []string{"2026/11/24/[$LATEST]ab"}, everything)
	if diff := cmp.Diff(got, []string{"one", "two\n"}); diff != "" {
		t.Errorf("events after a restart (-got +want):\n%s", diff)
	}
}

func TestAWriteThatWasCutOffLeavesNoTrace(t *testing.T) {
	dir := t.TempDir()
	e := openTestEvents(t, dir)
	mustAppend(t, e, "g", "s", Event{1, "kept"})
	file := streamFile(t, dir)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	torn := appendRecord(nil, Event{2, "torn"}, 2)
	damaged := slices.Clone(torn)
	damaged[len(damaged)-1] ^= 1
	tails := [][]byte{damaged, {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1}, make([]byte, 100)}
	for n := 1; n < len(torn); n++ {
		tails = append(tails, torn[:n])
	}
	for _, tail := range tails {
		if err := os.WriteFile(file, append(slices.Clone(whole), tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		e := openTestEvents(t, dir)
		mustAppend(t, e, "g", "s", Event{3, "next"})
		e = openTestEvents(t, dir)
		got := messages(t, e, "g", []string{"s"}, everything)
		if diff := cmp.Diff(got, []string{"kept", "next"}); diff != "" {
			t.Fatalf("events after a tail of %d bytes (-got +want):\n%s", len(tail), diff)
		}
	}
}

func TestAStreamWhoseHeaderWasCutOffDoesNotExist(t *testing.T) {
	dir := t.TempDir()
	e := openTestEvents(t, dir)
	if err := e.CreateStream("g", "s", time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(streamFile(t, dir), 9); err != nil {
		t.Fatal(err)
	}
	e = openTestEvents(t, dir)
	if e.Has("g", "s") {
		t.Error("the stream exists")
	}
	if err := e.CreateStream("g", "s", time.UnixMilli(1)); err != nil {
		t.Errorf("create it again: %v", err)
	}
}

// Whatever is appended in whatever order, pages forwards, backwards and across streams hold every event once
// and in order.
func TestPagesHoldEveryEventOnceAndInOrder(t *testing.T) {
	dir := t.TempDir()
	for _, e := range []*Events{openTestEvents(t, dir), NewMemoryEvents()} {
		random := rand.New(rand.NewPCG(1, 2))
		streams := []string{"a", "b", "c"}
		var want []position
		seq := map[string]int64{}
		for range 60 {
			name := streams[random.IntN(len(streams))]
			var batch []Event
			for range random.IntN(60) + 1 {
				event := Event{random.Int64N(500), strings.Repeat("x", random.IntN(600))}
				batch = append(batch, event)
				seq[name]++
				want = append(want, position{event.Timestamp, name, seq[name]})
			}
			mustAppend(t, e, "g", name, batch...)
		}
		slices.SortFunc(want, position.compare)
		if blocks := len(e.stream("g", "a").blocks); blocks < 3 {
			t.Fatalf("the test needs several blocks, has %d", blocks)
		}
		for _, last := range []bool{false, true} {
			got := allPages(t, e, streams, query{Until: math.MaxInt64, Limit: 97, Last: last})
			if diff := cmp.Diff(got, want); diff != "" {
				t.Fatalf("pages with last=%v (-got +want):\n%s", last, diff)
			}
		}
	}
}

func allPages(t *testing.T, e *Events, streams []string, q query) []position {
	t.Helper()
	var out []position
	for {
		records, more, err := e.read("g", streams, q)
		if err != nil {
			t.Fatal(err)
		}
		var page []position
		for _, r := range records {
			page = append(page, r.position)
		}
		if q.Last {
			out = append(page, out...)
		} else {
			out = append(out, page...)
		}
		if !more {
			return out
		}
		if q.Last {
			q.Before = &page[0]
		} else {
			q.After = &page[len(page)-1]
		}
	}
}

func TestAPageHoldsAtMostOneMegabyte(t *testing.T) {
	e := NewMemoryEvents()
	for i := range 5 {
		mustAppend(t, e, "g", "s", Event{int64(i), strings.Repeat("x", 400<<10)})
	}
	records, more, err := e.read("g", []string{"s"}, everything)
	if err != nil || len(records) != 2 || !more || records[0].Timestamp != 0 {
		t.Errorf("got %d events, more %v, error %v; want the first 2 and more", len(records), more, err)
	}
	q := everything
	q.Last = true
	records, more, err = e.read("g", []string{"s"}, q)
	if err != nil || len(records) != 2 || !more || records[1].Timestamp != 4 {
		t.Errorf("got %d events, more %v, error %v; want the last 2 and more", len(records), more, err)
	}
}

func TestDeletedStreamsTakeNoMoreEvents(t *testing.T) {
	e := openTestEvents(t, t.TempDir())
	mustAppend(t, e, "g", "s", Event{1, "x"})
	mustAppend(t, e, "g", "t", Event{1, "y"})
	held := e.stream("g", "s")
	if err := e.DeleteStream("g", "s"); err != nil {
		t.Fatal(err)
	}
	if !held.deleted {
		t.Error("the stream is not marked as deleted")
	}
	if err := e.Append("g", "s", time.UnixMilli(2), []Event{{2, "z"}}); err != errNoStream {
		t.Errorf("append to a deleted stream: got %v, want %v", err, errNoStream)
	}
	if err := e.DeleteGroup("g"); err != nil {
		t.Fatal(err)
	}
	if got := e.Groups(); len(got) != 0 {
		t.Errorf("groups left: %v", got)
	}
	if err := e.DeleteGroup("g"); err != nil {
		t.Errorf("delete a group that is gone: %v", err)
	}
}

func TestAFullMediumRefusesAndTakesAgainOnceThereIsRoom(t *testing.T) {
	e := newEvents(newMemory(1000))
	if err := e.CreateStream("g", "s", time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	big := []Event{{1, strings.Repeat("x", 600)}}
	if err := e.Append("g", "s", time.UnixMilli(1), big); err != nil {
		t.Fatal(err)
	}
	if err := e.Append("g", "s", time.UnixMilli(1), big); err == nil {
		t.Fatal("appending beyond the limit succeeded")
	}
	if err := e.DeleteStream("g", "s"); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, e, "g", "s", big...)
}

func TestWritersAndReadersDoNotDisturbEachOther(t *testing.T) {
	e := openTestEvents(t, t.TempDir())
	var wait sync.WaitGroup
	for w := range 4 {
		name := fmt.Sprint("s", w%2)
		_ = e.CreateStream("g", name, time.UnixMilli(1))
		wait.Go(func() {
			for i := range 50 {
				if err := e.Append("g", name, time.UnixMilli(1), []Event{{int64(i), "x"}, {int64(i), "y"}}); err != nil {
					t.Error(err)
				}
			}
		})
		wait.Go(func() {
			for range 20 {
				records, _, err := e.read("g", []string{"s0", "s1"}, everything)
				if err != nil || len(records)%2 != 0 {
					t.Errorf("got %d events, error %v; want whole batches", len(records), err)
				}
			}
		})
	}
	wait.Wait()
	if got := len(messages(t, e, "g", []string{"s0", "s1"}, everything)); got != 400 {
		t.Errorf("got %d events, want 400", got)
	}
}
