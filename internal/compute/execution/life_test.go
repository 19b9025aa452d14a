package execution

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// masks replace what differs from run to run.
var masks = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "<id>"},
	{regexp.MustCompile(`runtime:[0-9a-f]{64}`), "runtime:<hash>"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`), "<time>"},
	{regexp.MustCompile(`\d{4}/\d\d/\d\d \d\d:\d\d:\d\d`), "<time>"},
	{regexp.MustCompile(`\d+\.\d\d ms`), "<n> ms"},
	{regexp.MustCompile(`Billed Duration: \d+ ms`), "Billed Duration: <n> ms"},
	{regexp.MustCompile(`Max Memory Used: [1-9]\d* MB`), "Max Memory Used: <n> MB"},
	{regexp.MustCompile(`\[WARNING\] .*\n`), ""},
}

func mask(s string) string {
	for _, m := range masks {
		s = m.re.ReplaceAllString(s, m.to)
	}
	return s
}

const (
	initStart = "INIT_START Runtime Version: provided.al2023.v1\tRuntime Version ARN: arn:aws:lambda:us-west-2::runtime:<hash>\n"
	startLine = "START RequestId: <id> Version: $LATEST\n"
	endLine   = "END RequestId: <id>\n"
	report    = "REPORT RequestId: <id>\tDuration: <n> ms\tBilled Duration: <n> ms\tMemory Size: 256 MB\tMax Memory Used: <n> MB\t"
	withInit  = "Init Duration: <n> ms\t"
)

// outcome as the caller and the log see it, masked.
type seen struct{ Payload, Error, Log string }

func (f *fixture) see(t *testing.T, fn *resource.Function, payload string) seen {
	t.Helper()
	r := f.call(t, fn, payload)
	return seen{mask(string(r.Payload)), r.FunctionError, mask(f.journal.take())}
}

func TestAFunctionAnswersAndItsLogReadsAsOnAWS(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	want := seen{Payload: `"hello"`, Log: initStart + startLine + "says hello\n" + endLine + report + withInit + "\n"}
	if d := cmp.Diff(want, f.see(t, fn, `{"Do":"echo","Text":"hello"}`)); d != "" {
		t.Errorf("first, -want +got:\n%s", d)
	}
	want.Log = startLine + "says hello\n" + endLine + report + "\n"
	if d := cmp.Diff(want, f.see(t, fn, `{"Do":"echo","Text":"hello"}`)); d != "" {
		t.Errorf("again, -want +got:\n%s", d)
	}
}

func TestTheTailIsTheEndOfThisInvocationsLog(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	f.call(t, fn, `{"Do":"echo","Text":"one"}`)
	r := f.call(t, fn, fmt.Sprintf(`{"Do":"echo","Text":%q}`, strings.Repeat("x", 10000)))
	if len(r.LogTail) != 4096 || !strings.HasPrefix(string(r.LogTail), "xxx") || !strings.Contains(string(r.LogTail), "REPORT ") {
		t.Errorf("tail of %d bytes: %.60s...", len(r.LogTail), r.LogTail)
	}
	r = f.call(t, fn, `{"Do":"echo","Text":"two"}`)
	if got := string(r.LogTail); !strings.HasPrefix(got, "START ") || strings.Contains(got, "xxx") {
		t.Errorf("tail %q", got)
	}
}

func TestFailuresReadAsOnAWS(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	f.call(t, fn, `{"Do":"count"}`)
	f.journal.take()
	exit := func(message string) seen {
		return seen{
			Payload: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: ` + message + `"}`,
			Error:   "Unhandled",
			Log: startLine + "RequestId: <id> Error: " + message + "\nRuntime.ExitError\n" + endLine + report +
				"Status: error\tError Type: Runtime.ExitError\n",
		}
	}
	for _, c := range []struct {
		name, order string
		want        seen
	}{
		{"an error of the handler", `{"Do":"error","Text":"boom"}`, seen{
			Payload: `{"errorMessage":"boom","errorType":"errorString"}`, Error: "Unhandled",
			Log: startLine + `<time> {"errorMessage":"boom","errorType":"errorString"}` + "\n" + endLine + report + "\n"}},
		{"exit 0", `{"Do":"exit","N":0}`, exit("Runtime exited without providing a reason")},
		{"exit 3", `{"Do":"exit","N":3}`, exit("Runtime exited with error: exit status 3")},
		{"killed", `{"Do":"signal","N":9}`, exit("Runtime exited with error: signal: killed")},
		{"too large", `{"Do":"large","N":6291557}`, seen{
			Payload: `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`,
			Error:   "Unhandled",
			Log:     "Status: error\tError Type: Function.ResponseSizeTooLarge\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := f.see(t, fn, c.order)
			if c.name == "too large" { // aws-lambda-go logs its own end too
				got.Log = got.Log[strings.Index(got.Log, "Status:"):]
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			// The environment must be good for the next one.
			if r := f.call(t, fn, `{"Do":"echo","Text":"after"}`); string(r.Payload) != `"after"` || r.Cold {
				t.Errorf("afterwards: %s, cold %v", r.Payload, r.Cold)
			}
			f.journal.take()
		})
	}
}

func TestTheLargestResponsePasses(t *testing.T) {
	f := newFixture(t)
	if r := f.call(t, f.goFunction(t), `{"Do":"large","N":6291556}`); len(r.Payload) != 6291556 || r.FunctionError != "" {
		t.Errorf("%d bytes, error %q", len(r.Payload), r.FunctionError)
	}
}

func TestATimeoutKillsTheRuntimeAndKeepsTmp(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	fn.Timeout = 1
	f.call(t, fn, `{"Do":"write","Text":"before"}`)
	f.journal.take()
	r := f.call(t, fn, `{"Do":"sleep","N":60000}`)
	want := `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: <id> Error: Task timed out after 1.00 seconds"}`
	if got := mask(string(r.Payload)); got != want || r.FunctionError != "Unhandled" {
		t.Errorf("payload %s, want %s", got, want)
	}
	line := regexp.MustCompile(`(?m)^REPORT .*`).FindString(f.journal.take())
	if !strings.Contains(line, "\tDuration: 1000.00 ms\tBilled Duration: 1000 ms\t") || !strings.HasSuffix(line, "\tStatus: timeout") {
		t.Errorf("report %q", line)
	}
	// Now the invocation includes an initialization, and its limit holds all the same.
	if r := f.call(t, fn, `{"Do":"sleep","N":60000}`); mask(string(r.Payload)) != want || r.Duration != time.Second {
		t.Errorf("again: %s after %v", r.Payload, r.Duration)
	}
	if r := f.call(t, fn, `{"Do":"read"}`); string(r.Payload) != `"before"` {
		t.Errorf("/tmp has %s", r.Payload)
	}
	if r := f.call(t, fn, `{"Do":"count"}`); string(r.Payload) != "2" {
		t.Errorf("the process was called %s times, want 2: it is a new one", r.Payload)
	}
}

func TestATimeoutRightAfterATimeoutEndsToo(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	fn.Timeout = 1
	for range 2 { // the second starts the runtime inside the invocation
		if r := f.call(t, fn, `{"Do":"sleep","N":60000}`); !strings.Contains(string(r.Payload), "Task timed out after 1.00 seconds") {
			t.Errorf("payload %s", r.Payload)
		}
	}
}

func TestWhatRunsInTheBackgroundIsFrozenBetweenInvocations(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	f.call(t, fn, `{"Do":"tick"}`)
	count := func() (n int) {
		if err := json.Unmarshal(f.call(t, fn, `{"Do":"ticks"}`).Payload, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	time.Sleep(500 * time.Millisecond)
	if after := count(); after > before+10 {
		t.Errorf("%d ticks of 5 ms while frozen", after-before)
	}
	f.call(t, fn, `{"Do":"sleep","N":300}`)
	if after := count(); after < before+20 {
		t.Errorf("only %d ticks in an invocation of 300 ms", after-before)
	}
}

func TestClosingLeavesNothing(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	f.call(t, fn, `{"Do":"tick"}`) // frozen, with threads
	done := make(chan error)
	go func() {
		_, err := f.Invoke(context.Background(), fn, Invocation{RequestID: requestID(), Payload: []byte(`{"Do":"sleep","N":60000}`)})
		done <- err
	}()
	time.Sleep(300 * time.Millisecond)
	f.Pool.Close()
	if err := <-done; err == nil {
		t.Error("the invocation was not told")
	}
	if left := processes(t); len(left) > 1 {
		t.Errorf("processes left: %v", left)
	}
}

// processes are the commands of this PID namespace: the test itself, and what should not be there.
func processes(t *testing.T) (names []string) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if b, err := os.ReadFile(d); err == nil {
			names = append(names, strings.TrimSpace(string(b)))
		}
	}
	return names
}

func TestAMissingBootstrapIsTheFunctionsError(t *testing.T) {
	f := newFixture(t)
	write(t, filepath.Join(f.dir, "empty", "readme"), "nothing to run")
	const message = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
	want := seen{
		Payload: `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: <id> Error: ` + message + `"}`,
		Error:   "Unhandled",
		Log: startLine + "RequestId: <id> Error: " + message + "\nRuntime.InvalidEntrypoint\n" + endLine +
			strings.Replace(report, "<n> MB\t", "0 MB\t", 1) + "Status: error\tError Type: Runtime.InvalidEntrypoint\n",
	}
	if d := cmp.Diff(want, f.see(t, function("empty", "provided.al2023", "x"), "{}")); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestABootstrapThatCannotRunIsTheFunctionsError(t *testing.T) {
	f := newFixture(t)
	write(t, filepath.Join(f.dir, "text", "bootstrap"), "not a program")
	r := f.call(t, function("text", "provided.al2023", "x"), "{}")
	want := `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: <id> Error: fork/exec /var/task/bootstrap: permission denied"}`
	if got := mask(string(r.Payload)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if log := mask(f.journal.take()); !strings.Contains(log, "INIT_REPORT Init Duration: <n> ms\tPhase: init\tStatus: error\tError Type: Runtime.InvalidEntrypoint\n") {
		t.Errorf("log:\n%s", log)
	}
}

func TestReservedVariablesWinAndOthersDoNot(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	fn.Environment = map[string]string{"AWS_REGION": "mars-1", "LANG": "C", "COLOR": "red"}
	var got []string
	if err := json.Unmarshal(f.call(t, fn, `{"Do":"env"}`).Payload, &got); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for _, kv := range got {
		k, v, _ := strings.Cut(kv, "=")
		env[k] = v
	}
	for k, want := range map[string]string{
		"AWS_REGION": "us-west-2", "LANG": "C", "COLOR": "red", "TZ": ":UTC", "_HANDLER": "bootstrap",
		"AWS_LAMBDA_RUNTIME_API": "169.254.100.1:9001", "AWS_ACCESS_KEY_ID": "ASIAprobe", "AWS_SESSION_TOKEN": "token-probe",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "LAMBDA_TASK_ROOT": "/var/task", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/probe",
	} {
		if env[k] != want {
			t.Errorf("%s is %q, want %q", k, env[k], want)
		}
	}
	for _, k := range []string{"HOME", "HOSTNAME", "AWS_EXECUTION_ENV", "PWD", "_CULVERT_LAUNCHED"} {
		if v, ok := env[k]; ok {
			t.Errorf("%s is set: %q", k, v)
		}
	}
}

func TestWithoutARouteAConnectionIsLostInSilence(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	fn.Timeout = 2
	r := f.call(t, fn, `{"Do":"dial","Text":"10.0.0.2:443"}`)
	if !strings.Contains(string(r.Payload), "Sandbox.Timedout") {
		t.Errorf("payload %s", r.Payload)
	}
	// Neither is another environment's Runtime API there, nor anything of the host.
	if r := f.call(t, fn, `{"Do":"dial","Text":"127.0.0.1:9001"}`); !strings.Contains(string(r.Payload), "connection refused") {
		t.Errorf("payload %s", r.Payload)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	fn.MemorySize = 128
	r := f.call(t, fn, `{"Do":"eat","N":400}`)
	want := `{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: <id> Error: Runtime exited with error: signal: killed"}`
	if got := mask(string(r.Payload)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if r := f.call(t, fn, `{"Do":"echo","Text":"after"}`); string(r.Payload) != `"after"` {
		t.Errorf("afterwards %s", r.Payload)
	}
	// What is in /tmp is not the function's memory.
	if r := f.call(t, fn, `{"Do":"fill","N":300}`); r.FunctionError != "" {
		t.Errorf("/tmp: %s", r.Payload)
	}
}
