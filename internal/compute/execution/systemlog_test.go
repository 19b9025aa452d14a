package execution

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
)

// logsOf is what was logged, without times and numbers.
func logsOf(t *testing.T, text string) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(text) {
		var v map[string]any
		if json.Unmarshal([]byte(line), &v) != nil {
			out = append(out, strings.TrimSpace(line))
			continue
		}
		for _, name := range []string{"time", "timestamp"} {
			if at, ok := v[name].(string); ok {
				if _, err := time.Parse(time.RFC3339, at); err != nil {
					t.Errorf("%s %q: %v", name, at, err)
				}
				delete(v, name)
			}
		}
		if record, ok := v["record"].(map[string]any); ok {
			delete(record, "runtimeVersionArn")
			if m, ok := record["metrics"].(map[string]any); ok {
				for name, n := range m {
					if _, ok := n.(float64); !ok {
						t.Errorf("metric %s is %v", name, n)
					}
					m[name] = 0
				}
			}
		}
		b, _ := json.Marshal(v)
		out = append(out, string(b))
	}
	return out
}

func TestLogsInJSONAreRecordsWithLevels(t *testing.T) {
	f := newFixture(t)
	fn := f.python(t, "py", `
import logging
log = logging.getLogger("mine")
def handler(event, context):
    log.debug("no")
    log.info("yes %d", 1, extra={"more": 2})
    print('{"level":"debug","message":"printed"}')
    print('{"level":"error","message":"printed"}')
    print("plain")
    if event.get("fail"):
        raise ValueError("boom")
`)
	fn.LogFormat, fn.ApplicationLogLevel, fn.SystemLogLevel = "JSON", "INFO", "DEBUG"
	f.call(t, fn, `{}`)
	f.Drain(fn.Qualified())
	id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
	got := strings.Join(logsOf(t, id.ReplaceAllString(f.journal.take(), "ID")), "\n")
	for _, want := range []string{
		`{"record":{"functionName":"py","functionVersion":"$LATEST","initializationType":"on-demand","phase":"init","runtimeVersion":"python:3.9.v1"},"type":"platform.initStart"}`,
		`{"record":{"initializationType":"on-demand","metrics":{"durationMs":0},"phase":"init","status":"success"},"type":"platform.initReport"}`,
		`{"record":{"requestId":"ID","version":"$LATEST"},"type":"platform.start"}`,
		`{"level":"INFO","logger":"mine","message":"yes 1","more":2,"requestId":"ID"}`,
		`{"level":"error","message":"printed"}`,
		`plain`,
		`{"record":{"metrics":{"billedDurationMs":0,"durationMs":0,"initDurationMs":0,"maxMemoryUsedMB":0,"memorySizeMB":0},"requestId":"ID","status":"success"},"type":"platform.report"}`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s in\n%s", want, got)
		}
	}
	for _, unwanted := range []string{`"debug"`, `"no"`, "START", "END", "REPORT"} {
		if strings.Contains(got, unwanted) {
			t.Errorf("there is %s in\n%s", unwanted, got)
		}
	}
	fn.SystemLogLevel, fn.RevisionID = "WARN", "2"
	f.call(t, fn, `{}`)
	f.Drain(fn.Qualified())
	if got := f.journal.take(); strings.Contains(got, "platform.") {
		t.Errorf("at level WARN a success is logged: %s", got)
	}
	f.call(t, fn, `{"fail":true}`)
	f.Drain(fn.Qualified())
	got = f.journal.take()
	if !strings.Contains(got, `"errorType": "ValueError"`) || !strings.Contains(got, `"log_level": "ERROR"`) || strings.Contains(got, "Traceback") {
		t.Errorf("a failure: %s", got)
	}
}
