package lambda

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

func TestInvokeAnswersWithWhatTheFunctionSaid(t *testing.T) {
	b := newBench(t)
	b.create("f")
	out := must[InvokeOutput](b, "Invoke", &InvokeInput{
		FunctionName: ptr("f"), Payload: []byte(`{"a":1}`), LogType: ptr("Tail"), Qualifier: ptr("$LATEST"),
		ClientContext: ptr(base64.StdEncoding.EncodeToString([]byte(`{"c":2}`))),
	})
	want := &InvokeOutput{StatusCode: ptr(int64(200)), Payload: []byte(`{"a":1}`), ExecutedVersion: ptr("$LATEST"), LogResult: ptr("RU5ECg==")}
	if diff := cmp.Diff(out, want); diff != "" {
		t.Errorf("answer (-got +want):\n%s", diff)
	}
	must[InvokeOutput](b, "Invoke", &InvokeInput{FunctionName: ptr("f")})
	invoked := []Invocation{
		{RequestID: "request-1", Payload: []byte(`{"a":1}`), ClientContext: `{"c":2}`, InvokedARN: b.function("f").ARN + ":$LATEST"},
		{RequestID: "request-1", Payload: []byte(`{}`), InvokedARN: b.function("f").ARN},
	}
	if diff := cmp.Diff(b.fake.invoked, invoked); diff != "" {
		t.Errorf("invocations (-got +want):\n%s", diff)
	}
	b.fake.handle = func(context.Context, *resource.Function, Invocation) (Result, error) {
		return Result{Payload: []byte(`{"errorType":"E"}`), FunctionError: "Unhandled"}, nil
	}
	out = must[InvokeOutput](b, "Invoke", &InvokeInput{FunctionName: ptr("f")})
	if *out.FunctionError != "Unhandled" || *out.StatusCode != 200 || out.LogResult != nil {
		t.Errorf("a function error: got %v", out)
	}
	out = must[InvokeOutput](b, "Invoke", &InvokeInput{FunctionName: ptr("f"), InvocationType: ptr("DryRun")})
	if diff := cmp.Diff(out, &InvokeOutput{StatusCode: ptr(int64(204))}); diff != "" || len(b.fake.invoked) != 3 {
		t.Errorf("a dry run (-got +want), %d invocations:\n%s", len(b.fake.invoked), diff)
	}
}

func TestInvocationsThatAWSRefusesAreRefused(t *testing.T) {
	b := newBench(t)
	b.create("f")
	f := ptr("f")
	big := []byte(`"` + strings.Repeat("x", maxPayload-1) + `"`)
	badContext := "InvalidRequestContentException: Client context must be a valid Base64-encoded JSON object."
	b.refused("Invoke", &InvokeInput{FunctionName: ptr("g")}, 404, "ResourceNotFoundException: Function not found: arn:aws:lambda:us-west-2:000000000000:function:g")
	b.refused("Invoke", &InvokeInput{FunctionName: f, Payload: big}, 413, "RequestEntityTooLargeException: Request must be smaller than 6291556 bytes for the InvokeFunction operation")
	b.refused("Invoke", &InvokeInput{FunctionName: f, Payload: big[:maxAsyncPayload+1], InvocationType: ptr("Event")}, 413, "RequestEntityTooLargeException: Request must be smaller than 1048576 bytes for the InvokeFunction operation")
	b.refused("Invoke", &InvokeInput{FunctionName: f, Payload: []byte("{")}, 400, "InvalidRequestContentException: Could not parse request body into json: Could not parse payload into json: unexpected end of JSON input")
	b.refused("Invoke", &InvokeInput{FunctionName: f, InvocationType: ptr("Later")}, 400, "ValidationException: 1 validation error detected: Value 'Later' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]")
	b.refused("Invoke", &InvokeInput{FunctionName: f, LogType: ptr("All")}, 400, "ValidationException: 1 validation error detected: Value 'All' at 'logType' failed to satisfy constraint: Member must satisfy enum value set: [None, Tail]")
	b.refused("Invoke", &InvokeInput{FunctionName: f, ClientContext: ptr("!")}, 400, badContext)
	b.refused("Invoke", &InvokeInput{FunctionName: f, ClientContext: ptr("e30" + "x")}, 400, badContext)
	b.refused("Invoke", &InvokeInput{FunctionName: f, ClientContext: ptr(base64.StdEncoding.EncodeToString([]byte(`"` + strings.Repeat("x", 3000) + `"`)))}, 400, badContext)
	if len(b.fake.invoked) != 0 {
		t.Errorf("%d refused invocations ran", len(b.fake.invoked))
	}
	for _, err := range []error{api.Errorf("EC2UnexpectedException", "x").WithStatus(502), errors.New("internal")} {
		b.fake.handle = func(context.Context, *resource.Function, Invocation) (Result, error) { return Result{}, err }
		if _, got := call[InvokeOutput](b, "Invoke", &InvokeInput{FunctionName: f}); got != err {
			t.Errorf("got %v, want the executor's own %v", got, err)
		}
	}
}

func TestReservedConcurrencyBoundsAndThrottles(t *testing.T) {
	b := newBench(t)
	b.create("f")
	b.create("g")
	put := func(name string, n int64) error {
		_, err := call[Concurrency](b, "PutFunctionConcurrency", &PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: &n})
		return err
	}
	if err := errors.Join(put("f", 1), put("g", 899)); err != nil {
		t.Fatal(err)
	}
	b.refused("PutFunctionConcurrency", &PutFunctionConcurrencyInput{FunctionName: ptr("g"), ReservedConcurrentExecutions: ptr(int64(900))}, 400,
		"InvalidParameterValueException: Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].")
	out := must[GetFunctionOutput](b, "GetFunction", &GetFunctionInput{FunctionName: ptr("f")})
	if *out.Concurrency.ReservedConcurrentExecutions != 1 {
		t.Errorf("got %v", out.Concurrency)
	}

	running, end := make(chan bool), make(chan bool)
	b.fake.handle = func(context.Context, *resource.Function, Invocation) (Result, error) {
		running <- true
		<-end
		return Result{}, nil
	}
	done := make(chan error)
	go func() {
		_, _, err := b.service.run(context.Background(), functionName{Name: "f"}, Invocation{})
		done <- err
	}()
	<-running
	throttled := "TooManyRequestsException: Rate Exceeded."
	b.refused("Invoke", &InvokeInput{FunctionName: ptr("f")}, 429, throttled)
	close(end)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.fake.handle = nil
	must[InvokeOutput](b, "Invoke", &InvokeInput{FunctionName: ptr("f")})
	if err := put("f", 0); err != nil {
		t.Fatal(err)
	}
	_, err := call[InvokeOutput](b, "Invoke", &InvokeInput{FunctionName: ptr("f")})
	if e := api.AsError(err); e == nil || len(e.Details) != 1 || e.Details[0].Value != "ReservedFunctionConcurrentInvocationLimitExceeded" {
		t.Errorf("got %v, want the reason in its details", err)
	}
	must[DeleteFunctionConcurrencyOutput](b, "DeleteFunctionConcurrency", &DeleteFunctionConcurrencyInput{FunctionName: ptr("f")})
	got := must[GetFunctionConcurrencyOutput](b, "GetFunctionConcurrency", &GetFunctionConcurrencyInput{FunctionName: ptr("f")})
	if got.ReservedConcurrentExecutions != nil {
		t.Errorf("got %d after the deletion, want none", *got.ReservedConcurrentExecutions)
	}
	must[InvokeOutput](b, "Invoke", &InvokeInput{FunctionName: ptr("f")})
}

func TestCodeStaysUntilTheInvocationsThatUseItAreOver(t *testing.T) {
	b := newBench(t)
	b.create("f")
	key := b.function("f").CodeKey
	b.fake.handle = func(_ context.Context, f *resource.Function, _ Invocation) (Result, error) {
		_, err := b.service.deleteFunction(context.Background(), &api.Call{}, &DeleteFunctionInput{FunctionName: ptr("f")})
		if err != nil || !b.code.Has(f.CodeKey) {
			t.Errorf("deleted with %v; code there: %v", err, b.code.Has(f.CodeKey))
		}
		return Result{}, nil
	}
	must[InvokeOutput](b, "Invoke", &InvokeInput{FunctionName: ptr("f")})
	if b.code.Has(key) {
		t.Error("the code stayed after the invocation")
	}
}

func event(name string) *InvokeInput {
	return &InvokeInput{FunctionName: &name, InvocationType: ptr("Event")}
}

func TestAsynchronousInvocationsAreTriedThreeTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create("f")
		start := time.Now()
		var at []time.Duration
		b.fake.handle = func(context.Context, *resource.Function, Invocation) (Result, error) {
			at = append(at, time.Since(start))
			return Result{FunctionError: "Unhandled"}, nil
		}
		out := must[InvokeOutput](b, "Invoke", event("f"))
		if diff := cmp.Diff(out, &InvokeOutput{StatusCode: ptr(int64(202))}); diff != "" {
			t.Error(diff)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if diff := cmp.Diff(at, []time.Duration{0, time.Minute, 3 * time.Minute}); diff != "" {
			t.Errorf("tried at (-got +want):\n%s", diff)
		}
		if b.service.queue.count != 0 || b.service.queue.bytes != 0 {
			t.Errorf("%d invocations of %d bytes are left", b.service.queue.count, b.service.queue.bytes)
		}
	})
}

func TestAsynchronousInvocationsWaitForRoomButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create("f")
		var tries atomic.Int64
		var free atomic.Bool
		b.fake.handle = func(context.Context, *resource.Function, Invocation) (Result, error) {
			if tries.Add(1); free.Load() {
				return Result{}, nil
			}
			return Result{}, &Throttled{"x"}
		}
		must[InvokeOutput](b, "Invoke", event("f"))
		time.Sleep(10 * time.Minute)
		free.Store(true)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := tries.Load(); n < 9 || n > 12 || b.service.queue.count != 0 {
			t.Errorf("%d tries, %d left", n, b.service.queue.count)
		}
		free.Store(false)
		must[InvokeOutput](b, "Invoke", event("f"))
		time.Sleep(7 * time.Hour)
		synctest.Wait()
		if b.service.queue.count != 0 {
			t.Error("an invocation is still tried after seven hours")
		}
	})
}

func TestAsynchronousInvocationsOfDeletedFunctionsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create("f")
		b.fake.handle = func(context.Context, *resource.Function, Invocation) (Result, error) {
			return Result{FunctionError: "Unhandled"}, nil
		}
		must[InvokeOutput](b, "Invoke", event("f"))
		synctest.Wait()
		must[DeleteFunctionOutput](b, "DeleteFunction", &DeleteFunctionInput{FunctionName: ptr("f")})
		time.Sleep(time.Hour)
		synctest.Wait()
		if b.service.queue.count != 0 || len(b.fake.invoked) != 1 {
			t.Errorf("%d left, %d ran; want none and 1", b.service.queue.count, len(b.fake.invoked))
		}
	})
}

func TestTheQueueIsBoundedAndDrainedAtShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create("f")
		ran := make(chan string, maxQueued)
		b.fake.handle = func(_ context.Context, _ *resource.Function, in Invocation) (Result, error) {
			time.Sleep(time.Second)
			ran <- in.RequestID
			return Result{}, nil
		}
		for i := range maxQueued {
			if err := b.service.queue.push(queued{name: functionName{Name: "f"}, in: Invocation{RequestID: fmt.Sprint(i)}}); err != nil {
				t.Fatal(err)
			}
		}
		b.refused("Invoke", event("f"), 429, "TooManyRequestsException: Rate Exceeded.")
		if err := b.service.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if len(ran) != maxQueued {
			t.Errorf("%d of %d ran", len(ran), maxQueued)
		}
		if _, err := call[InvokeOutput](b, "Invoke", event("f")); err == nil {
			t.Error("an invocation was taken after the end")
		}
	})
}

func TestShutdownDoesNotWaitLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create("f")
		b.fake.handle = func(ctx context.Context, _ *resource.Function, _ Invocation) (Result, error) {
			<-ctx.Done()
			return Result{}, ctx.Err()
		}
		for range maxWorkers + 1 {
			must[InvokeOutput](b, "Invoke", event("f"))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := b.service.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		synctest.Wait()
		if b.service.queue.count != 0 || len(b.fake.invoked) != maxWorkers {
			t.Errorf("%d left, %d ran", b.service.queue.count, len(b.fake.invoked))
		}
	})
}
