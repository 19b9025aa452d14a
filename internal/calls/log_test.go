package calls

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func names(t *testing.T, l *Log) []string {
	t.Helper()
	var out []string
	if _, err := l.Each(func(line []byte) bool {
		var e Event
		if json.Unmarshal(line, &e) != nil {
			e.EventName = "?"
		}
		out = append(out, e.EventName)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheLogIsBoundedAndSurvives(t *testing.T) {
	dir := t.TempDir()
	l, err := open(dir, 4096)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := l.Add(&Event{EventName: fmt.Sprint(i), UserAgent: strings.Repeat("x", 5000)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, path := range []string{l.current(), l.older()} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > 2*4096 {
		t.Errorf("the files have %d bytes", total)
	}
	// A crash in the middle of a line costs that line.
	if err := os.WriteFile(filepath.Join(dir, "calls.jsonl"), []byte(`{"eventName":"98"}`+"\n"+`{"eventNa`), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err = open(dir, 4096); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Add(&Event{EventName: "after"}); err != nil {
		t.Fatal(err)
	}
	got := names(t, l)
	if want := "98 ? after"; !strings.HasSuffix(strings.Join(got, " "), want) {
		t.Errorf("got %v, want it to end with %s", got, want)
	}
}

func TestWhoFollowsHearsOfEachCallOnce(t *testing.T) {
	l, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	lines, now, more := l.Since(0)
	if len(lines) != 0 || now != 0 {
		t.Fatalf("got %d lines of nothing", len(lines))
	}
	for i := range 3 {
		if err := l.Add(&Event{EventName: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	<-more
	lines, now, _ = l.Since(1)
	if len(lines) != 2 || now != 3 || !strings.Contains(string(lines[0]), `"eventName":"1"`) {
		t.Errorf("got %d lines, %s", len(lines), lines)
	}
}

func TestWhatIsAddedLaterIsThereForWhoReads(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	const many = 3 * waiting
	for i := range many {
		l.Later(func() *Event { return &Event{EventName: fmt.Sprint(i)} }, func(err error) { t.Error(err) })
	}
	next := 0
	now, err := l.Each(func(line []byte) bool {
		if want := fmt.Sprintf("\"eventName\":\"%d\"", next); !strings.Contains(string(line), want) {
			t.Fatalf("line %d is %s", next, line)
		}
		next++
		return true
	})
	if err != nil || now != many || next != many {
		t.Errorf("%d lines of %d, %v", next, now, err)
	}
	l.Later(func() *Event { return &Event{EventName: "last"} }, func(err error) { t.Error(err) })
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l.Later(func() *Event { return &Event{EventName: "too late"} }, func(err error) { t.Error(err) })
	b, err := os.ReadFile(l.current())
	if err != nil || !strings.Contains(string(b), "\"last\"") || strings.Contains(string(b), "too late") {
		t.Errorf("the end of the log is %q, %v", b[max(0, len(b)-200):], err)
	}
}
