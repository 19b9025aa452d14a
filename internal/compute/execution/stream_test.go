package execution

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func newTestStream() (*stream, *journal) {
	j := &journal{}
	return &stream{group: "g", name: "s", sink: j, log: slog.New(slog.DiscardHandler)}, j
}

// feed gives b to a cutter in pieces of the given sizes, as pipes do.
func feed(cut func([]byte, bool) []byte, b []byte, sizes []int) {
	var rest []byte
	for i := 0; len(b) > 0; i++ {
		n := len(b)
		if len(sizes) > 0 {
			n = min(n, sizes[i%len(sizes)])
		}
		rest = cut(append(rest, b[:n]...), false)
		b = b[n:]
	}
	cut(rest, true)
}

func frame(text string, at time.Time) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0xa55a0003)
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	b = binary.BigEndian.AppendUint64(b, uint64(at.UnixMicro()))
	return append(b, text...)
}

func TestEachLineIsAnEventHoweverItArrives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOf(rapid.StringMatching(`[a-z]{1,20}\n`)).Draw(t, "lines")
		sizes := rapid.SliceOfN(rapid.IntRange(1, 30), 1, 5).Draw(t, "sizes")
		s, j := newTestStream()
		feed(s.lines, []byte(strings.Join(lines, "")), sizes)
		s.send()
		if d := cmp.Diff(append([]string(nil), lines...), j.events); d != "" && len(lines) > 0 {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

func TestEachFrameIsAnEventHoweverItArrives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOf(rapid.StringN(1, 30, -1)).Draw(t, "texts")
		sizes := rapid.SliceOfN(rapid.IntRange(1, 50), 1, 5).Draw(t, "sizes")
		var b []byte
		for _, text := range texts {
			b = append(b, frame(text, time.Now())...)
		}
		s, j := newTestStream()
		feed(s.frames, b, sizes)
		s.send()
		if d := cmp.Diff(append([]string(nil), texts...), j.events); d != "" && len(texts) > 0 {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

func TestWhatIsNoFrameIsDropped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := newTestStream()
		feed(s.frames, rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"), []int{7}) // must not panic, nor keep much
		s.send()
	})
	s, j := newTestStream()
	huge := frame("x", time.Now())
	binary.BigEndian.PutUint32(huge[4:], 1<<31)
	if rest := s.frames(huge, false); len(rest) != 0 {
		t.Errorf("%d bytes were kept of a frame that never ends", len(rest))
	}
	s.send()
	if len(j.events) != 0 {
		t.Errorf("events %q", j.events)
	}
}

func TestAFramesTimeIsBelievedWithinReason(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want bool
	}{{time.Now().Add(-time.Minute), true}, {time.Now().Add(time.Hour), false}, {time.Unix(0, 0), false}} {
		s, _ := newTestStream()
		s.frames(frame("x", c.at), false)
		if got := s.batch[0].TimestampMS == c.at.UnixMilli(); got != c.want {
			t.Errorf("%v: believed %v", c.at, got)
		}
	}
}

func TestALineThatNeverEndsIsCut(t *testing.T) {
	s, j := newTestStream()
	feed(s.lines, bytes.Repeat([]byte("x"), 600<<10), []int{32 << 10})
	s.send()
	var sizes []int
	for _, e := range j.events {
		sizes = append(sizes, len(e))
	}
	if d := cmp.Diff([]int{256 << 10, 256 << 10, 88<<10 + 1}, sizes); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

type brokenSink struct{}

func (brokenSink) Append(string, string, []LogEvent) error { return errors.New("full") }

func TestASinkThatFailsDoesNotStopTheFunction(t *testing.T) {
	f := newFixture(t, func(cfg *Config) { cfg.Logs = brokenSink{}; cfg.Log = slog.New(slog.DiscardHandler) })
	if r := f.call(t, f.goFunction(t), `{"Do":"echo","Text":"x"}`); string(r.Payload) != `"x"` || !bytes.Contains(r.LogTail, []byte("says x")) {
		t.Errorf("%s, tail %s", r.Payload, r.LogTail)
	}
}

func TestColdStartsLeakNothing(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	measure := func() (files, routines int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries), runtime.NumGoroutine()
	}
	cycle := func(n int) {
		for i := range n {
			f.call(t, fn, []string{`{"Do":"count"}`, `{"Do":"exit","N":1}`}[i%2])
			f.Drain(fn.Name)
		}
	}
	cycle(4)
	files, routines := measure()
	cycle(20)
	// Those that are on their way out may still be there.
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		gotFiles, gotRoutines := measure()
		if gotFiles <= files && gotRoutines <= routines {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d files and %d goroutines, before %d and %d", gotFiles, gotRoutines, files, routines)
		}
	}
}
