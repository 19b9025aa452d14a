package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
)

const testARN = "arn:aws:lambda:us-west-2:000000000000:function:"

func onto(success, failure string) *DestinationConfig {
	return &DestinationConfig{OnSuccess: &OnSuccess{Destination: text(success)}, OnFailure: &OnFailure{Destination: text(failure)}}
}

func TestWhatBecomesOfEventsCanBeConfigured(t *testing.T) {
	b := newBench(t)
	b.create("f")
	b.create("g")
	none := &GetFunctionEventInvokeConfigInput{FunctionName: ptr("f")}
	b.refused("GetFunctionEventInvokeConfig", none, 404, "ResourceNotFoundException: The function "+testARN+"f:$LATEST doesn't have an EventInvokeConfig")
	put := must[PutFunctionEventInvokeConfigOutput](b, "PutFunctionEventInvokeConfig", &PutFunctionEventInvokeConfigInput{FunctionName: ptr("f"), MaximumRetryAttempts: ptr(int64(0)), DestinationConfig: onto("", testARN+"g")})
	if *put.FunctionArn != testARN+"f:$LATEST" || *put.MaximumRetryAttempts != 0 || *put.DestinationConfig.OnFailure.Destination != testARN+"g" || put.DestinationConfig.OnSuccess.Destination != nil {
		t.Errorf("got %v", put)
	}
	updated := must[UpdateFunctionEventInvokeConfigOutput](b, "UpdateFunctionEventInvokeConfig", &UpdateFunctionEventInvokeConfigInput{FunctionName: ptr("f"), MaximumEventAgeInSeconds: ptr(int64(60))})
	if *updated.MaximumRetryAttempts != 0 || *updated.MaximumEventAgeInSeconds != 60 {
		t.Errorf("an update forgot something: %v", updated)
	}
	must[DeleteFunctionEventInvokeConfigOutput](b, "DeleteFunctionEventInvokeConfig", &DeleteFunctionEventInvokeConfigInput{FunctionName: ptr("f")})
	if _, err := call[struct{}](b, "GetFunctionEventInvokeConfig", none); err == nil {
		t.Error("it is there after it was deleted")
	}
	const invalid = "InvalidParameterValueException: "
	for want, in := range map[string]*PutFunctionEventInvokeConfigInput{
		"You must specify at least one of error handling or destination setting.":                                  {},
		"You can't specify the function as a destination for itself.":                                              {DestinationConfig: onto(testARN+"f", "")},
		"The destination ARN " + testARN + "h is invalid.":                                                         {DestinationConfig: onto(testARN+"h", "")},
		"Culvert does not support destinations other than Lambda functions: arn:aws:sqs:us-west-2:000000000000:q.": {DestinationConfig: onto("", "arn:aws:sqs:us-west-2:000000000000:q")},
		"The function's execution role does not have permissions to call InvokeFunction on " + testARN + "g":       {DestinationConfig: onto(testARN+"g", "")},
	} {
		b.roles.denied = testARN + "g"
		in.FunctionName = ptr("f")
		b.refused("PutFunctionEventInvokeConfig", in, 400, invalid+want)
	}
}

// chain makes f hand on to ok and bad, and runs it once.
func chain(t *testing.T, failing bool, config *PutFunctionEventInvokeConfigInput) []Invocation {
	b := newBench(t)
	for _, name := range []string{"f", "ok", "bad"} {
		b.create(name)
	}
	config.FunctionName, config.DestinationConfig = ptr("f"), onto(testARN+"ok", testARN+"bad")
	must[PutFunctionEventInvokeConfigOutput](b, "PutFunctionEventInvokeConfig", config)
	b.fake.handle = func(_ context.Context, f *resource.Function, _ Invocation) (Result, error) {
		if f.Name == "f" && failing {
			return Result{Payload: []byte(`{"errorType":"E"}`), FunctionError: "Unhandled"}, nil
		}
		return Result{Payload: []byte(`{"said":1}`)}, nil
	}
	must[InvokeOutput](b, "Invoke", event("f"))
	time.Sleep(time.Hour)
	synctest.Wait()
	return b.fake.invoked
}

func TestADestinationGetsAWSsRecord(t *testing.T) {
	for _, c := range []struct {
		failing     bool
		to, context string
		runs        int
	}{
		{false, "ok", `{"requestId":"request-1","functionArn":"` + testARN + `f:$LATEST","condition":"Success","approximateInvokeCount":1}|{"statusCode":200,"executedVersion":"$LATEST"}|{"said":1}`, 1},
		{true, "bad", `{"requestId":"request-1","functionArn":"` + testARN + `f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3}|{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"}|{"errorType":"E"}`, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			invoked := chain(t, c.failing, &PutFunctionEventInvokeConfigInput{})
			if len(invoked) != c.runs+1 || invoked[c.runs].InvokedARN != testARN+c.to {
				t.Fatalf("%d invocations", len(invoked))
			}
			var got map[string]json.RawMessage
			if err := json.Unmarshal(invoked[c.runs].Payload, &got); err != nil {
				t.Fatal(err)
			}
			said := fmt.Sprintf("%s|%s|%s", got["requestContext"], got["responseContext"], got["responsePayload"])
			if diff := cmp.Diff(said, c.context); diff != "" || string(got["version"]) != `"1.0"` || string(got["requestPayload"]) != string(event("f").Payload) && string(got["requestPayload"]) != "{}" {
				t.Errorf("record (-got +want):\n%s\n%s", diff, invoked[c.runs].Payload)
			}
		})
	}
}

func TestRetriesAndAgeAreAsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if got := chain(t, true, &PutFunctionEventInvokeConfigInput{MaximumRetryAttempts: ptr(int64(1))}); len(got) != 3 {
			t.Errorf("one retry: %d invocations, want two and the destination's", len(got))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		got := chain(t, true, &PutFunctionEventInvokeConfigInput{MaximumEventAgeInSeconds: ptr(int64(60))})
		var r record
		if err := json.Unmarshal(got[len(got)-1].Payload, &r); err != nil || r.RequestContext.Condition != "EventAgeExceeded" || r.RequestContext.Invocations > 2 {
			t.Errorf("a minute of age: %d invocations, %v, %v", len(got), r.RequestContext, err)
		}
	})
}

func TestFunctionsThatHandOnToEachOtherEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create("f")
		b.create("g")
		for from, to := range map[string]string{"f": "g", "g": "f"} {
			must[PutFunctionEventInvokeConfigOutput](b, "PutFunctionEventInvokeConfig", &PutFunctionEventInvokeConfigInput{FunctionName: &from, DestinationConfig: onto(testARN+to, "")})
		}
		must[InvokeOutput](b, "Invoke", event("f"))
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(b.fake.invoked); n != maxChain+1 {
			t.Errorf("%d invocations, want %d", n, maxChain+1)
		}
	})
}

func TestADestinationNeedsTheRolesPermissionWhenItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create("f")
		b.create("g")
		must[PutFunctionEventInvokeConfigOutput](b, "PutFunctionEventInvokeConfig", &PutFunctionEventInvokeConfigInput{FunctionName: ptr("f"), DestinationConfig: onto(testARN+"g", "")})
		b.roles.denied = testARN + "g"
		must[InvokeOutput](b, "Invoke", event("f"))
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(b.fake.invoked); n != 1 {
			t.Errorf("%d invocations, want that of f alone", n)
		}
	})
}

func TestEventsOfAFunctionThatIsSwitchedOffGoToItsDestinationAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.create("f")
		b.create("g")
		must[PutFunctionEventInvokeConfigOutput](b, "PutFunctionEventInvokeConfig", &PutFunctionEventInvokeConfigInput{FunctionName: ptr("f"), DestinationConfig: onto("", testARN+"g")})
		must[Concurrency](b, "PutFunctionConcurrency", &PutFunctionConcurrencyInput{FunctionName: ptr("f"), ReservedConcurrentExecutions: ptr(int64(0))})
		must[InvokeOutput](b, "Invoke", event("f"))
		synctest.Wait()
		var r record
		if len(b.fake.invoked) != 1 || json.Unmarshal(b.fake.invoked[0].Payload, &r) != nil || r.RequestContext.Condition != "ZeroReservedConcurrency" || r.ResponseContext != nil {
			t.Errorf("%d invocations, %+v", len(b.fake.invoked), r)
		}
	})
}
