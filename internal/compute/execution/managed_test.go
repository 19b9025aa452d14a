package execution

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// python is a function of this machine's oldest supported Python, or any newer.
func (f *fixture) python(t *testing.T, name, code string) *resource.Function {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3 on this machine")
	}
	write(t, filepath.Join(f.dir, name, "app.py"), code)
	return function(name, "python3.9", "app.handler")
}

func (f *fixture) node(t *testing.T, name, file, code string) *resource.Function {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node on this machine")
	}
	write(t, filepath.Join(f.dir, name, file), code)
	return function(name, "nodejs20.x", "app.handler")
}

const pythonCode = `
import logging, sys, decimal, os, ctypes
log = logging.getLogger()
log.setLevel(logging.INFO)

def fail(text):
    raise ValueError(text)

def handler(event, context):
    do = event["do"]
    if do == "print":
        print("printed")
        return None
    if do == "echo":
        log.info("two\nlines")
        return {"event": event, "left": context.get_remaining_time_in_millis() > 0, "name": context.function_name}
    if do == "raise":
        fail("boom")
    if do == "exit":
        sys.exit(event["n"])
    if do == "abort":
        ctypes.string_at(0)
    if do == "decimal":
        return {"n": decimal.Decimal("1.10"), "m": decimal.Decimal("123456789012345678901234567890")}
    if do == "bytes":
        return b'{"raw":1}'
    if do == "set":
        return {1, 2}
    if do == "path":
        return [p for p in sys.path if not p.startswith(("/usr", "/var/lang"))]
    if do == "user":
        return [os.getuid(), os.getgid(), os.getcwd(), os.path.exists("/dev/shm"), os.access("/var/task", os.W_OK)]
    if do == "unended":
        print("no end", end="")
`

func TestPythonReadsAsOnAWS(t *testing.T) {
	f := newFixture(t)
	fn := f.python(t, "py", pythonCode)
	f.call(t, fn, `{"do":"bytes"}`)
	f.journal.take()
	exit := func(message string) seen {
		return seen{
			Payload: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: ` + message + `"}`,
			Error:   "Unhandled",
			Log: startLine + "RequestId: <id> Error: " + message + "\nRuntime.ExitError\n" + endLine + report +
				"Status: error\tError Type: Runtime.ExitError\n",
		}
	}
	fine := startLine + endLine + report + "\n"
	for _, c := range []struct {
		event string
		want  seen
	}{
		{`{"do":"echo"}`, seen{
			Payload: `{"event": {"do": "echo"}, "left": true, "name": "py"}`,
			Log:     startLine + "[INFO]\t<time>\t<id>\ttwo\nlines\n" + endLine + report + "\n"}},
		{`{"do":"unended"}`, seen{Payload: `null`, Log: startLine + "no end\n" + endLine + report + "\n"}},
		{`{"do":"print"}`, seen{Payload: `null`, Log: startLine + "printed\n" + endLine + report + "\n"}},
		{`{"do":"raise"}`, seen{
			Payload: `{"errorMessage": "boom", "errorType": "ValueError", "requestId": "<id>", "stackTrace": [` +
				`"  File \"/var/task/app.py\", line 18, in handler\n    fail(\"boom\")\n", "  File \"/var/task/app.py\", line 7, in fail\n    raise ValueError(text)\n"]}`,
			Error: "Unhandled",
			Log: startLine + "[ERROR] ValueError: boom\nTraceback (most recent call last):\n" +
				"\u00a0\u00a0File \"/var/task/app.py\", line 18, in handler\n\u00a0\u00a0\u00a0\u00a0fail(\"boom\")\n" +
				"\u00a0\u00a0File \"/var/task/app.py\", line 7, in fail\n\u00a0\u00a0\u00a0\u00a0raise ValueError(text)" + endLine + report + "\n"}},
		{`{"do":"exit","n":0}`, exit("Runtime exited without providing a reason")},
		{`{"do":"exit","n":127}`, exit("Runtime exited with error: exit status 127")},
		{`{"do":"abort"}`, exit("Runtime exited with error: signal: segmentation fault")},
		{`{"do":"decimal"}`, seen{Payload: `{"n": 1.10, "m": 123456789012345678901234567890}`, Log: fine}},
		{`{"do":"bytes"}`, seen{Payload: `{"raw":1}`, Log: fine}},
		{`{"do":"set"}`, seen{
			Payload: `{"errorMessage": "Unable to marshal response: Object of type set is not JSON serializable", "errorType": "Runtime.MarshalError", "requestId": "<id>", "stackTrace": []}`,
			Error:   "Unhandled",
			Log: startLine + "[ERROR] Runtime.MarshalError: Unable to marshal response: Object of type set is not JSON serializable\n" +
				"Traceback (most recent call last):" + endLine + report + "\n"}},
		{`{"do":"user"}`, seen{Payload: `[993, 990, "/var/task", false, false]`, Log: fine}},
	} {
		t.Run(c.event, func(t *testing.T) {
			if d := cmp.Diff(c.want, f.see(t, fn, c.event)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
	r := f.call(t, fn, `{"do":"path"}`)
	// Where the machine has another version than the function asks for, layers for both are looked at.
	layers := regexp.MustCompile(`("/opt/python/lib/python3\.\d+/site-packages", ){1,2}`)
	if got := layers.ReplaceAllString(string(r.Payload), `"/opt/python/lib/pythonX/site-packages", `); got !=
		`["/var/task", "/opt/python/lib/pythonX/site-packages", "/opt/python", "/var/runtime", "/var/sdk/python"]` {
		t.Errorf("sys.path: %s", got)
	}
}

func TestPythonThatCannotStartSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name, code, handler, want, kind string
	}{
		{"import", "import nothere\n", "app.handler",
			`{"errorMessage": "Unable to import module 'app': No module named 'nothere'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`,
			"Runtime.ImportModuleError"},
		{"handler", "x = 1\n", "app.handler",
			`{"errorMessage": "Handler 'handler' missing on module 'app'", "errorType": "Runtime.HandlerNotFound", "requestId": "", "stackTrace": []}`,
			"Runtime.HandlerNotFound"},
		{"module", "x = 1\n", "other.handler",
			`{"errorMessage": "Unable to import module 'other': No module named 'other'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`,
			"Runtime.ImportModuleError"},
		{"name", "x = 1\n", "handler",
			`{"errorMessage": "Bad handler 'handler': not enough values to unpack (expected 2, got 1)", "errorType": "Runtime.MalformedHandlerName", "requestId": "", "stackTrace": []}`,
			"Runtime.MalformedHandlerName"},
		{"exception", "raise Exception('Runtime startup fails')\n", "app.handler",
			`{"errorMessage": "Runtime startup fails", "errorType": "Exception", "requestId": "", "stackTrace": ["  File \"/var/task/app.py\", line 1, in <module>\n    raise Exception('Runtime startup fails')\n"]}`,
			"Exception"},
		{"exit", "import sys\nsys.exit(0)\n", "app.handler",
			`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: Runtime exited without providing a reason"}`,
			"Runtime.ExitError"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			fn := f.python(t, "py", c.code)
			fn.Handler = c.handler
			got := f.see(t, fn, `{}`)
			if got.Payload != c.want || got.Error != "Unhandled" {
				t.Errorf("got %s, want %s", got.Payload, c.want)
			}
			for _, line := range []string{
				"INIT_REPORT Init Duration: <n> ms\tPhase: init\tStatus: error\tError Type: " + c.kind + "\n",
				"INIT_REPORT Init Duration: <n> ms\tPhase: invoke\tStatus: error\tError Type: " + c.kind + "\n",
				"Status: error\tError Type: " + c.kind + "\n",
			} {
				if !strings.Contains(got.Log, line) {
					t.Errorf("the log lacks %q:\n%s", line, got.Log)
				}
			}
		})
	}
}

func TestASlowInitializationGoesOnInsideTheInvocation(t *testing.T) {
	f := newFixture(t)
	f.initLimit = 300 * time.Millisecond
	fn := f.python(t, "slow", "import time\ntime.sleep(0.6)\ndef handler(event, context):\n    return 'ready'\n")
	r := f.call(t, fn, `{}`)
	log := mask(f.journal.take())
	if string(r.Payload) != `"ready"` || r.Duration < 600*time.Millisecond || r.InitDuration != 0 {
		t.Errorf("%s after %v, init %v", r.Payload, r.Duration, r.InitDuration)
	}
	want := "INIT_REPORT Init Duration: <n> ms\tPhase: init\tStatus: timeout\n" + startLine + endLine + report + "\n"
	if !strings.HasSuffix(log, want) {
		t.Errorf("got:\n%s\nwant at the end:\n%s", log, want)
	}
	fn.Timeout, fn.RevisionID = 1, "2"
	write(t, filepath.Join(f.dir, "slow", "app.py"), "import time\ntime.sleep(60)\n")
	r = f.call(t, fn, `{}`)
	if got := mask(string(r.Payload)); got != `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: <id> Error: Task timed out after 1.00 seconds"}` {
		t.Errorf("never ready: %s", got)
	}
	if log := mask(f.journal.take()); !strings.Contains(log, "Phase: invoke\tStatus: timeout\n") {
		t.Errorf("log:\n%s", log)
	}
}

func TestARuntimeThisMachineLacksIsTheInvocationsError(t *testing.T) {
	f := newFixture(t)
	write(t, filepath.Join(f.dir, "old", "app.rb"), "")
	for _, name := range []string{"ruby3.3", "python3.99", "java21"} {
		r := f.call(t, function("old", name, "app.handler"), "{}")
		if !strings.Contains(string(r.Payload), "The runtime "+name+" cannot run on this machine") || r.FunctionError != "Unhandled" {
			t.Errorf("%s: %s", name, r.Payload)
		}
	}
}

func TestNodeReadsAsOnAWS(t *testing.T) {
	const code = `
exports.handler = async (event, context) => {
  if (event.do === 'echo') { console.log('two\nlines'); return { event, left: context.getRemainingTimeInMillis() > 0 }; }
  if (event.do === 'throw') throw new TypeError('boom');
  if (event.do === 'exit') process.exit(event.n);
  if (event.do === 'never') return new Promise(() => {});
  if (event.do === 'late') { Promise.reject(new Error('late')); return new Promise((r) => setTimeout(r, 500)); }
};`
	f := newFixture(t)
	fn := f.node(t, "js", "app.js", code)
	f.call(t, fn, `{}`)
	f.journal.take()
	got := f.see(t, fn, `{"do":"echo"}`)
	want := seen{Payload: `{"event":{"do":"echo"},"left":true}`, Log: startLine + "<time>\t<id>\tINFO\ttwo\nlines\n" + endLine + report + "\n"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for order, wants := range map[string]string{
		`{"do":"throw"}`:      `^{"errorType":"TypeError","errorMessage":"boom","trace":\["TypeError: boom","    at .*app.js`,
		`{"do":"exit","n":4}`: `^{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: Runtime exited with error: exit status 4"}$`,
		`{"do":"never"}`:      `^{"errorType":"Runtime.NodeJsExit","errorMessage":"Function exited before promise was settled"`,
		`{"do":"late"}`:       `^{"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"late"`,
		`{}`:                  `^null$`,
	} {
		if got := f.see(t, fn, order); !regexp.MustCompile(wants).MatchString(got.Payload) {
			t.Errorf("%s: %s", order, got.Payload)
		}
	}
}

func TestNodeHandlersOfAllKindsAreFound(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct{ name, file, code, handler, want string }{
		{"callback", "app.js", "exports.handler = (e, c, cb) => { setTimeout(() => cb(null, 'called back'), 10) }", "app.handler", `"called back"`},
		{"esm", "app.mjs", "export const handler = async () => 'module'", "app.handler", `"module"`},
		{"await", "app.mjs", "const x = await Promise.resolve('awaited'); export const handler = () => Promise.resolve(x)", "app.handler", `"awaited"`},
		{"cjs", "app.cjs", "exports.a = { b: async () => 'nested' }", "app.a.b", `"nested"`},
		{"none", "app.js", "exports.other = 1", "app.handler", `"errorType":"Runtime.HandlerNotFound","errorMessage":"app.handler is undefined or not exported"`},
		{"missing", "app.js", "require('nothere')", "app.handler", `"errorType":"Runtime.ImportModuleError"`},
		{"syntax", "app.js", "exports.handler = (", "app.handler", `"errorType":"Runtime.UserCodeSyntaxError"`},
	} {
		fn := f.node(t, c.name, c.file, c.code)
		fn.Handler = c.handler
		if r := f.call(t, fn, `{}`); !strings.Contains(string(r.Payload), c.want) {
			t.Errorf("%s: %s", c.name, r.Payload)
		}
	}
}

func TestLibrariesReadTheRegionsCertificates(t *testing.T) {
	f := newFixture(t)
	fn := f.python(t, "tls", `
import os
def handler(event, context):
    files = ["/var/task/certifi/cacert.pem", "/etc/ssl/certs/ca-certificates.crt", os.environ["AWS_CA_BUNDLE"]]
    if event.get("sdk"):
        import botocore
        files.append(os.path.dirname(botocore.__file__) + "/cacert.pem")
    return [open(name).read() for name in files]
`)
	write(t, filepath.Join(f.dir, "tls", "certifi", "cacert.pem"), "somebody else's")
	want := `["# no certificates\n", "# no certificates\n", "# no certificates\n"]`
	if r := f.call(t, fn, `{}`); string(r.Payload) != want {
		t.Errorf("got %s", r.Payload)
	}
	r := f.call(t, fn, `{"sdk": true}`)
	if strings.Contains(string(r.Payload), "No module named 'botocore'") {
		t.Skip("no boto3 on this machine")
	}
	if string(r.Payload) != strings.Replace(want, "]", `, "# no certificates\n"]`, 1) {
		t.Errorf("with the SDK: %s", r.Payload)
	}
}

func TestEveryPythonOfThisMachineRuns(t *testing.T) {
	f := newFixture(t)
	code := "import sys, logging\ndef handler(event, context):\n    logging.getLogger().warning('w')\n    return list(sys.version_info[:2])\n"
	fn := f.python(t, "versions", code)
	ran := 0
	for minor := 6; minor < 15; minor++ {
		fn.Runtime, fn.RevisionID = fmt.Sprintf("python3.%d", minor), fmt.Sprint(minor)
		r := f.call(t, fn, `{}`)
		log := f.journal.take()
		switch exact := fmt.Sprintf("[3, %d]", minor); {
		case string(r.Payload) == exact:
			ran++
		case strings.Contains(string(r.Payload), "cannot run on this machine"):
		case r.FunctionError == "" && strings.Contains(log, "is used in place of"):
		default:
			t.Errorf("%s: %s\n%s", fn.Runtime, r.Payload, log)
		}
		if r.FunctionError == "" && !regexp.MustCompile(`(?m)^\[WARNING\]\t\S+Z\t\S+\tw$`).MatchString(log) {
			t.Errorf("%s logged:\n%s", fn.Runtime, log)
		}
	}
	t.Logf("%d versions", ran)
}
