package execution

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// parts gathers what is streamed, and when.
type parts struct {
	mu   sync.Mutex
	all  []string
	at   []time.Time
	kind string
}

func (p *parts) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all, p.at = append(p.all, string(b)), append(p.at, time.Now())
	return len(b), nil
}

func TestNodeStreamsItsResponses(t *testing.T) {
	f := newFixture(t)
	fn := f.node(t, "streamer", "app.js", `
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  if (event.head) stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
  else stream.setContentType('text/plain');
  if (event.early) throw new Error('early');
  stream.write('one');
  await new Promise((done) => setTimeout(done, 150));
  if (event.late) throw new RangeError('late');
  stream.write('two');
  stream.end();
});
`)
	call := func(payload string) (Result, *parts) {
		p := &parts{}
		r, err := f.Invoke(context.Background(), fn, Invocation{RequestID: requestID(), Payload: []byte(payload), Stream: func(kind string) io.Writer {
			p.kind = kind
			return p
		}})
		if err != nil {
			t.Fatal(err)
		}
		return r, p
	}
	r, p := call(`{}`)
	if !r.Streamed || r.FunctionError != "" || strings.Join(p.all, "|") != "one|two" || p.kind != "text/plain" {
		t.Fatalf("got %+v, %q of %s", r, p.all, p.kind)
	}
	if apart := p.at[1].Sub(p.at[0]); apart < 100*time.Millisecond {
		t.Errorf("the parts came %v apart: nothing was streamed", apart)
	}
	if _, p := call(`{"head":true}`); p.kind != "application/vnd.awslambda.http-integration-response" || !strings.HasPrefix(strings.Join(p.all, ""), `{"statusCode":201}`+"\x00\x00\x00\x00\x00\x00\x00\x00one") {
		t.Errorf("with a head: got %q of %s", p.all, p.kind)
	}
	if r, p := call(`{"early":true}`); r.Streamed || r.FunctionError != "Unhandled" || len(p.all) != 0 || !strings.Contains(string(r.Payload), `"errorMessage":"early"`) {
		t.Errorf("a failure before anything was said: got %+v %s, %q", r, r.Payload, p.all)
	}
	if r, p := call(`{"late":true}`); !r.Streamed || r.FunctionError != "Unhandled" || strings.Join(p.all, "") != "one" || !strings.Contains(string(r.Payload), `"errorType":"RangeError"`) {
		t.Errorf("a failure in the middle: got %+v %s, %q", r, r.Payload, p.all)
	}
	r = f.call(t, fn, `{}`) // Invoke gathers
	if string(r.Payload) != "onetwo" {
		t.Errorf("gathered: got %s", r.Payload)
	}
}
