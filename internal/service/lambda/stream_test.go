package lambda

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// messages takes an event stream apart: event type and payload of each message.
func messages(t *testing.T, b []byte) (out []string) {
	t.Helper()
	for len(b) > 0 {
		total, headers := int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:]))
		if crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]) || crc32.ChecksumIEEE(b[:total-4]) != binary.BigEndian.Uint32(b[total-4:]) {
			t.Fatal("a checksum is wrong")
		}
		head := string(b[12 : 12+headers])
		kind := "PayloadChunk"
		if strings.Contains(head, "InvokeComplete") {
			kind = "InvokeComplete"
		}
		out = append(out, kind+" "+string(b[12+headers:total-4]))
		b = b[total:]
	}
	return out
}

func (b *bench) stream(in *InvokeWithResponseStreamInput) (*httptest.ResponseRecorder, error) {
	b.Helper()
	out, err := b.service.invokeWithStream(context.Background(), &api.Call{RequestID: "request-1"}, in)
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	return w, out.Stream(w)
}

func TestAStreamedResponseGoesOutInParts(t *testing.T) {
	b := newBench(t)
	b.create("f", func(in *CreateFunctionInput) { in.Publish = ptr(true) })
	var late io.Writer
	failing := false
	b.fake.handle = func(_ context.Context, f *resource.Function, in Invocation) (Result, error) {
		late = in.Stream(f, "text/plain")
		_, _ = io.WriteString(late, "one")
		_, _ = io.WriteString(late, "two")
		r := Result{Streamed: true, LogTail: []byte("END\n")}
		if failing {
			r.FunctionError, r.Payload = "Unhandled", []byte(`{"errorType":"E"}`)
		}
		return r, nil
	}
	w, err := b.stream(&InvokeWithResponseStreamInput{FunctionName: ptr("f:1"), LogType: ptr("Tail")})
	if err != nil {
		t.Fatal(err)
	}
	if w.Header().Get("X-Amz-Executed-Version") != "1" || w.Header().Get("Content-Type") != "application/vnd.amazon.eventstream" {
		t.Errorf("headers %v", w.Header())
	}
	want := `PayloadChunk one|PayloadChunk two|InvokeComplete {"LogResult":"RU5ECg=="}`
	if got := strings.Join(messages(t, w.Body.Bytes()), "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	size := w.Body.Len()
	_, _ = io.WriteString(late, "late")
	if w.Body.Len() != size {
		t.Error("a runtime wrote into an answer that was over")
	}
	failing = true
	w, _ = b.stream(&InvokeWithResponseStreamInput{FunctionName: ptr("f")})
	if got := messages(t, w.Body.Bytes()); got[2] != `InvokeComplete {"ErrorCode":"Unhandled","ErrorDetails":"{\"errorType\":\"E\"}"}` {
		t.Errorf("a failure ends with %s", got[2])
	}
	b.fake.handle = nil // a runtime that does not stream
	w, _ = b.stream(&InvokeWithResponseStreamInput{FunctionName: ptr("f"), Payload: []byte(`{"a":1}`)})
	if got := strings.Join(messages(t, w.Body.Bytes()), "|"); got != `PayloadChunk {"a":1}|InvokeComplete {}` {
		t.Errorf("got %s", got)
	}
	b.fake.handle = func(context.Context, *resource.Function, Invocation) (Result, error) {
		return Result{}, &Throttled{"x"}
	}
	if _, err := b.stream(&InvokeWithResponseStreamInput{FunctionName: ptr("f")}); api.AsError(err) == nil || api.AsError(err).Status != 429 {
		t.Errorf("throttled: got %v", err)
	}
}

func TestAURLCanStream(t *testing.T) {
	b, url := newURLBench(t, func(in *CreateFunctionUrlConfigInput) { in.InvokeMode = ptr("RESPONSE_STREAM") })
	answer := func(contentType string, failed bool, parts ...string) (*httptest.ResponseRecorder, any) {
		b.fake.handle = func(_ context.Context, f *resource.Function, in Invocation) (Result, error) {
			w := in.Stream(f, contentType)
			for _, p := range parts {
				_, _ = io.WriteString(w, p)
			}
			r := Result{Streamed: true}
			if failed {
				r.FunctionError = "Unhandled"
			}
			return r, nil
		}
		var w *httptest.ResponseRecorder
		broken := func() (p any) {
			defer func() { p = recover() }()
			w = b.web(httptest.NewRequest("GET", url, nil))
			return nil
		}()
		return w, broken
	}
	w, _ := answer(withPrelude, false, `{"statusCode":201,"headers":{"X-A":"b"},"coo`, `kies":["c=1"]}`+"\x00\x00\x00\x00", "\x00\x00\x00\x00first ", "second")
	if w.Code != 201 || w.Header().Get("X-A") != "b" || w.Header().Get("Set-Cookie") != "c=1" || w.Body.String() != "first second" {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w, _ := answer("text/html", false, "<p>"); w.Code != 200 || w.Header().Get("Content-Type") != "text/html" || w.Body.String() != "<p>" {
		t.Errorf("without a prelude: got %d %v %s", w.Code, w.Header(), w.Body)
	}
	for what, parts := range map[string][]string{
		"no JSON":    {"{\x00\x00\x00\x00\x00\x00\x00\x00"},
		"no end":     {`{"statusCode":200}`},
		"too long":   {strings.Repeat("x", maxPrelude+1)},
		"bad status": {"{\"statusCode\":7}\x00\x00\x00\x00\x00\x00\x00\x00x"},
	} {
		if w, _ := answer(withPrelude, false, parts...); w.Code != 502 {
			t.Errorf("a prelude with %s: got %d, want 502", what, w.Code)
		}
	}
	if _, broken := answer("text/html", true, "half"); broken == nil {
		t.Error("a response that failed in the middle looks whole")
	}
	if w, _ := answer(withPrelude, true); w.Code != 502 {
		t.Errorf("a failure before anything was said: got %d", w.Code)
	}
}
