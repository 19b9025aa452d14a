package runtimeapi

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// runtime is a client with a connection of its own, as each runtime process has.
type runtime struct {
	t    *testing.T
	base string
	http *http.Client
}

func newRuntime(t *testing.T, base string) *runtime {
	c := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	t.Cleanup(c.CloseIdleConnections)
	return &runtime{t, base, c}
}

func serve(t *testing.T) (*Server, string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Serve(l)
	t.Cleanup(func() { s.Close() })
	return s, "http://" + l.Addr().String()
}

// answer is a response as a runtime sees it.
type answer struct {
	Status int
	Body   string
}

func (r *runtime) do(method, path, body string, header ...string) (answer, http.Header) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.base+path, strings.NewReader(body))
	if err != nil {
		panic(err) // a mistake in the test; it may be in a goroutine of its own
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return answer{Body: "no answer"}, nil
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, string(b)}, resp.Header
}

const (
	root = "/2018-06-01/runtime/"
	next = root + "invocation/next"
	ok   = `{"status":"OK"}` + "\n"
)

func respond(id string) string { return root + "invocation/" + id + "/response" }

func invocation(id string) *Invocation {
	return &Invocation{RequestID: id, FunctionARN: "arn:f", TraceID: "Root=1", Deadline: time.UnixMilli(1234567), Payload: []byte(`{"a":1}`)}
}

func wait(t *testing.T, s *Server) Event {
	t.Helper()
	select {
	case e := <-s.Events():
		return e
	case <-time.After(5 * time.Second):
		t.Fatal("no event")
	}
	return Event{}
}

// begin brings a server and a runtime to the point where the runtime works on "one".
func begin(t *testing.T) (*Server, *runtime, http.Header) {
	t.Helper()
	s, base := serve(t)
	r := newRuntime(t, base)
	got := make(chan http.Header)
	go func() {
		a, h := r.do("GET", next, "")
		if a.Status != 200 || a.Body != `{"a":1}` {
			t.Errorf("next: %+v", a)
		}
		got <- h
	}()
	if e := wait(t, s); e.Kind != Next {
		t.Fatalf("event %+v", e)
	}
	s.Deliver(invocation("one"))
	return s, r, <-got
}

func TestAnEventComesWithItsHeaders(t *testing.T) {
	_, _, h := begin(t)
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id":       "one",
		"Lambda-Runtime-Deadline-Ms":          "1234567",
		"Lambda-Runtime-Invoked-Function-Arn": "arn:f",
		"Lambda-Runtime-Trace-Id":             "Root=1",
		"Content-Type":                        "application/json",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, there := h["Lambda-Runtime-Client-Context"]; there {
		t.Error("an empty client context was sent")
	}
}

func TestAnswersAreThoseOfAWS(t *testing.T) {
	forbidden := func(from, to string) answer {
		return answer{403, `{"errorMessage":"State transition from ` + from + ` to ` + to + ` failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}` + "\n"}
	}
	wrongID := answer{400, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}` + "\n"}
	for _, c := range []struct {
		name, method, path, body string
		want                     answer
	}{
		{"ping", "GET", "/2018-06-01/ping", "", answer{200, "pong"}},
		{"an unknown path", "GET", "/2018-06-01/other", "", answer{404, "404 page not found\n"}},
		{"a wrong method", "POST", next, "", answer{405, "Method Not Allowed\n"}},
		{"the event again", "GET", next, "", answer{200, `{"a":1}`}},
		{"a wrong id", "POST", respond("two"), "{}", wrongID},
		{"an error of a wrong id", "POST", root + "invocation/two/error", "{}", wrongID},
		{"an init error too late", "POST", root + "init/error", "{}", forbidden("Running", "InitError")},
		{"an answer", "POST", respond("one"), `"x"`, answer{202, ok}},
		{"an error", "POST", root + "invocation/one/error", `{}`, answer{202, ok}},
		{"a large answer", "POST", respond("one"), strings.Repeat("x", MaxPayload), answer{202, ok}},
		{"an answer too large", "POST", respond("one"), strings.Repeat("x", MaxPayload+1),
			answer{413, `{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}` + "\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, r, _ := begin(t)
			got, _ := r.do(c.method, c.path, c.body)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
	t.Run("a second answer", func(t *testing.T) {
		_, r, _ := begin(t)
		r.do("POST", respond("one"), "1")
		got, _ := r.do("POST", respond("one"), "2")
		if d := cmp.Diff(forbidden("RuntimeResponseSentState", "InvocationResponse"), got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

func TestWhatARuntimeSaysBecomesEvents(t *testing.T) {
	for _, c := range []struct {
		name, path, body string
		header           []string
		want             Event
	}{
		{"answer", respond("one"), `"x"`, nil, Event{Kind: Response, Payload: []byte(`"x"`)}},
		{"empty answer", respond("one"), "", nil, Event{Kind: Response, Payload: []byte{}}},
		{"error", root + "invocation/one/error", `{"e":1}`, []string{errorTypeHeader, "Runtime.ExitError"},
			Event{Kind: Failure, ErrorType: "Runtime.ExitError", Payload: []byte(`{"e":1}`)}},
		{"error of no type", root + "invocation/one/error", `{}`, nil, Event{Kind: Failure, ErrorType: "Runtime.Unknown", Payload: []byte(`{}`)}},
		{"error of a wild type", root + "invocation/one/error", `{}`, []string{errorTypeHeader, "a\tb"}, Event{Kind: Failure, ErrorType: "Runtime.Unknown", Payload: []byte(`{}`)}},
		{"too large", respond("one"), strings.Repeat("x", MaxPayload+1), nil, Event{Kind: TooLarge, ErrorType: "Function.ResponseSizeTooLarge"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, r, _ := begin(t)
			r.do("POST", c.path, c.body, c.header...)
			if d := cmp.Diff(c.want, wait(t, s)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			go r.do("GET", next, "")
			if e := wait(t, s); e.Kind != Next {
				t.Errorf("afterwards %+v", e)
			}
		})
	}
}

func TestAStreamedAnswerMayFailAtItsEnd(t *testing.T) {
	s, r, _ := begin(t)
	req, err := http.NewRequest("POST", r.base+respond("one"), io.MultiReader(strings.NewReader("part")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
	req.Trailer = http.Header{errorTypeHeader: {"Function.Error"}, errorBodyHeader: {"eyJlIjoxfQ=="}}
	resp, err := r.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	want := Event{Kind: Failure, ErrorType: "Function.Error", Payload: []byte(`{"e":1}`)}
	if d := cmp.Diff(want, wait(t, s)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestABrokenOffAnswerIsTold(t *testing.T) {
	s, r, _ := begin(t)
	c, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf", respond("one"))
	c.Close()
	if e := wait(t, s); e.Kind != Truncated {
		t.Errorf("event %+v", e)
	}
}

func TestAnInitErrorIsToldOnce(t *testing.T) {
	s, base := serve(t)
	r := newRuntime(t, base)
	if a, _ := r.do("POST", root+"init/error", `{"e":1}`, errorTypeHeader, "Runtime.ImportModuleError"); a.Status != 202 {
		t.Errorf("%+v", a)
	}
	want := Event{Kind: InitError, ErrorType: "Runtime.ImportModuleError", Payload: []byte(`{"e":1}`)}
	if d := cmp.Diff(want, wait(t, s)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if a, _ := r.do("POST", root+"init/error", `{}`); a.Status != 403 {
		t.Errorf("again: %+v", a)
	}
	if a, _ := r.do("GET", next, ""); a.Status != 403 {
		t.Errorf("next: %+v", a)
	}
}

// Bodies are held in memory, and a runtime is not trusted.
func TestOneInitErrorAtATimeIsRead(t *testing.T) {
	_, base := serve(t)
	r := newRuntime(t, base)
	slow, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "POST %sinit/error HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf", root)
	time.Sleep(50 * time.Millisecond)
	if a, _ := r.do("POST", root+"init/error", `{}`); a.Status != 403 {
		t.Errorf("a second beside the first: %+v", a)
	}
}

func TestAProcessOfThePastIsNotHeard(t *testing.T) {
	s, old, _ := begin(t)
	s.Reset()
	if a, _ := old.do("POST", respond("one"), "late"); a.Status != 0 && a.Status != 400 {
		t.Errorf("an old process's answer: %+v", a)
	}
	// What is waiting in next for the old generation is never given a new one's event.
	s2, base := serve(t)
	waiting := newRuntime(t, base)
	got := make(chan answer, 1)
	go func() { a, _ := waiting.do("GET", next, ""); got <- a }()
	wait(t, s2)
	s2.Reset()
	fresh := newRuntime(t, base)
	go fresh.do("GET", next, "")
	wait(t, s2)
	s2.Deliver(invocation("two"))
	select {
	case a := <-got:
		if a.Status == 200 {
			t.Errorf("the old process got %+v", a)
		}
	case <-time.After(200 * time.Millisecond):
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	_, base := serve(t)
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for range maxConnections {
		c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
		fmt.Fprint(c, "GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\n\r\n")
		if b := make([]byte, 12); !read12(c, b) || !bytes.HasPrefix(b, []byte("HTTP/1.1 200")) {
			t.Fatalf("connection %d: %s", len(open), b)
		}
	}
	c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if read12(c, make([]byte, 12)) {
		t.Error("one more was answered")
	}
	open[0].Close()
	time.Sleep(50 * time.Millisecond)
	if a, _ := newRuntime(t, base).do("GET", "/2018-06-01/ping", ""); a.Status != 200 {
		t.Errorf("after one was closed: %+v", a)
	}
}

func read12(c net.Conn, b []byte) bool {
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	_, err := io.ReadFull(c, b)
	return err == nil
}
