package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
)

func logsCodec(t testing.TB) Codec {
	return newCodec(t, Service{Protocol: AWSJSON11, TargetPrefix: "Logs_20140328"})
}

func TestJSONRequestsDecode(t *testing.T) {
	c := logsCodec(t)
	r := jsonRequest("Logs_20140328.PutThings", `{"name":"abc","class":"B","count":3.0,"ratio":1e-3,"on":true,"when":1700000000.5,
		"iso":"2026-01-02T03:04:05Z","data":"aGk=","items":["x"],"inner":{"id":"1"},"inners":[{"id":"2"}],"table":{"k":"v"},
		"children":{"c":{"id":"3"}},"unknownButEmpty":"","unknownNull":null}`)
	operation, err := c.Operation(r)
	if err != nil || operation != "PutThings" {
		t.Fatalf("Operation = %q, %v", operation, err)
	}
	got := new(jsonShape)
	if err := c.Decode(r, operation, got); err != nil {
		t.Fatal(err)
	}
	want := &jsonShape{
		Name: ptr("abc"), Class: ptr("B"), Count: ptr(int64(3)), Ratio: ptr(1e-3), On: ptr(true),
		When: ptr(time.UnixMilli(1700000000500).UTC()), ISO: ptr(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), Data: []byte("hi"),
		Items: []string{"x"}, Inner: &jsonInner{ptr("1")}, Inners: []jsonInner{{ptr("2")}}, Table: map[string]string{"k": "v"},
		Children: map[string]jsonInner{"c": {ptr("3")}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

func TestMalformedJSONIsRefusedWithAWSsCodes(t *testing.T) {
	c := logsCodec(t)
	for _, test := range []struct{ name, body, code, text string }{
		{"not JSON", `{"name":`, "SerializationException", "not a JSON object"},
		{"not an object", `[1]`, "SerializationException", "not a JSON object"},
		{"goes on", `{} {}`, "SerializationException", "goes on"},
		{"not UTF-8", "{\"name\":\"\xff\"}", "SerializationException", "UTF-8"},
		{"too deep", strings.Repeat(`{"a":`, maxJSONDepth+1) + "1" + strings.Repeat("}", maxJSONDepth+1), "SerializationException", "too deeply"},
		{"number for a string", `{"name":1}`, "SerializationException", "The value 1 at 'name' is not a string"},
		{"string for a number", `{"name":"a","count":"1"}`, "SerializationException", "not an integer"},
		{"fraction for an integer", `{"name":"a","count":1.5}`, "SerializationException", "not an integer"},
		{"too large", `{"name":"a","count":1e30}`, "SerializationException", "not an integer"},
		{"a time out of range", `{"name":"a","when":1e300}`, "SerializationException", "a timestamp"},
		{"object for a list", `{"name":"a","items":{}}`, "SerializationException", "not a list"},
		{"null in a list", `{"name":"a","items":[null]}`, "SerializationException", "items.1.member"},
		{"bad base64", `{"name":"a","data":"!"}`, "SerializationException", "base64"},
		{"unknown member", `{"name":"a","nonsense":1}`, "InvalidParameterException", "nonsense"},
		{"missing", `{}`, "InvalidParameterException", "Value null at 'name' failed to satisfy constraint: Member must not be null"},
		{"null is missing", `{"name":null}`, "InvalidParameterException", "Member must not be null"},
		{"missing inside", `{"name":"a","inners":[{}]}`, "InvalidParameterException", "'inners.1.member.iD'"},
		{"too large a value", `{"name":"a","count":10001}`, "InvalidParameterException",
			"1 validation error detected: Value '10001' at 'count' failed to satisfy constraint: Member must have value less than or equal to 10000"},
		{"too long", `{"name":"abcdefghi"}`, "InvalidParameterException", "Member must have length less than or equal to 8"},
		{"pattern", `{"name":"A"}`, "InvalidParameterException", "Member must satisfy regular expression pattern: [a-z]+"},
		{"pattern holds for the whole value", `{"name":"a\n"}`, "InvalidParameterException", "pattern"},
		{"enum", `{"name":"a","class":"C"}`, "InvalidParameterException", "Member must satisfy enum value set: [A, B]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := api.AsError(c.Decode(jsonRequest("Logs_20140328.X", test.body), "X", new(jsonShape)))
			if err == nil {
				t.Fatal("the request was accepted")
			}
			if err.Code != test.code || !strings.Contains(err.Message, test.text) {
				t.Errorf("got %v, want %s ... %s", err, test.code, test.text)
			}
		})
	}
}

func TestJSONAnswersAreEncoded(t *testing.T) {
	r, err := logsCodec(t).Output("r", "X", &jsonShape{
		Name: ptr("a<\"\x01"), Count: ptr(int64(7)), When: ptr(time.UnixMilli(1700000000123)), ISO: ptr(time.Unix(0, 0)), Items: []string{},
		Table: map[string]string{"b": "2", "a": "1"}, Data: []byte("hi"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"a<\"\u0001","count":7,"when":1700000000.123,"iso":"1970-01-01T00:00:00.000Z","data":"aGk=","items":[],"table":{"a":"1","b":"2"}}`
	if diff := cmp.Diff(string(r.Body), want); diff != "" {
		t.Error(diff)
	}
}

func TestJSONErrorsNameTheirType(t *testing.T) {
	r := logsCodec(t).Error("r", api.Errorf("ResourceNotFoundException", "The specified log group does not exist."))
	want := `{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}`
	if string(r.Body) != want || r.Status != 400 {
		t.Errorf("got %d %s, want 400 %s", r.Status, r.Body, want)
	}
}

func restService() Service {
	return Service{Protocol: RESTJSON, Operations: []Operation{
		{"List", "GET", "/2015-03-31/functions/", 200},
		{"Get", "GET", "/2015-03-31/functions/{FunctionName}", 200},
		{"Invoke", "POST", "/2015-03-31/functions/{FunctionName}/invocations", 200},
		{"Put", "PUT", "/2017-10-31/functions/{FunctionName}/concurrency", 201},
		{"Delete", "DELETE", "/2015-03-31/functions/{FunctionName}", 204},
	}}
}

func TestRESTRequestsFindTheirOperation(t *testing.T) {
	c := newCodec(t, restService())
	for _, test := range []struct{ method, target, want string }{
		{"GET", "/2015-03-31/functions", "List"},
		{"GET", "/2015-03-31/functions/", "List"},
		{"GET", "/2015-03-31/functions/?MaxItems=1", "List"},
		{"GET", "/2015-03-31/functions/f", "Get"},
		{"GET", "/2015-03-31/functions/a%2Fb", "Get"},
		{"DELETE", "/2015-03-31/functions/f", "Delete"},
		{"POST", "/2015-03-31/functions/f", ""},
		{"GET", "/2015-03-31/functions/f/x", ""},
		{"GET", "/2015-03-31/functions//invocations", ""},
		{"GET", "/", ""},
	} {
		got, err := c.Operation(restRequest(test.method, test.target, ""))
		if got != test.want {
			t.Errorf("%s %s: operation %q, want %q", test.method, test.target, got, test.want)
		}
		if test.want == "" && (api.AsError(err) == nil || api.AsError(err).Status != 404) {
			t.Errorf("%s %s: %v, want a 404", test.method, test.target, err)
		}
	}
}

func TestRESTMembersComeFromPathQueryHeadersAndBody(t *testing.T) {
	c := newCodec(t, restService())
	r := restRequest("POST", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax/invocations?Qualifier=v%201&MaxItems=5&tagKeys=a&tagKeys=b", "\x00raw")
	r.HTTP.Header.Set("X-Amz-Invocation-Type", "Event")
	got := new(invokeInput)
	if err := c.Decode(r, "Invoke", got); err != nil {
		t.Fatal(err)
	}
	want := &invokeInput{FunctionName: ptr("arn:aws:lambda:x"), Qualifier: ptr("v 1"), MaxItems: ptr(int64(5)), TagKeys: []string{"a", "b"},
		Type: ptr("Event"), Payload: []byte("\x00raw")}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
	err := api.AsError(c.Decode(restRequest("POST", "/2015-03-31/functions/f/invocations?MaxItems=many", ""), "Invoke", new(invokeInput)))
	if err == nil || err.Code != "SerializationException" {
		t.Errorf("MaxItems=many: %v", err)
	}
	put := new(putInput)
	if err := c.Decode(restRequest("PUT", "/2017-10-31/functions/f/concurrency", `{"Count":2}`), "Put", put); err != nil || *put.Count != 2 {
		t.Errorf("Put: %+v, %v", put, err)
	}
	err = api.AsError(c.Decode(restRequest("PUT", "/2017-10-31/functions/f/concurrency", ""), "Put", new(putInput)))
	if err == nil || err.Code != "ValidationException" {
		t.Errorf("an empty body: %v", err)
	}
}

func TestRESTAnswersHaveStatusHeadersAndBody(t *testing.T) {
	c := newCodec(t, restService())
	r, err := c.Output("r", "Invoke", &invokeOutput{StatusCode: ptr(int64(202)), Error: ptr("Un\r\nhandled"), Payload: []byte(`"x"`)})
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != 202 || header(r, "X-Amz-Function-Error") != "Un  handled" || string(r.Body) != `"x"` {
		t.Errorf("answer = %+v", r)
	}
	if r, _ = c.Output("r", "Put", &putInput{Count: ptr(int64(1))}); r.Status != 201 || string(r.Body) != `{"Count":1}` {
		t.Errorf("answer = %d %s", r.Status, r.Body)
	}
	if r, _ = c.Output("r", "Delete", &emptyShape{}); r.Status != 204 || r.Body != nil || header(r, "Content-Type") != "" {
		t.Errorf("answer = %+v", r)
	}
}

func TestRESTErrorsAreInTheHeaderAndBothMessages(t *testing.T) {
	r := newCodec(t, restService()).Error("r", api.Errorf("TooManyRequestsException", "Rate Exceeded.").WithStatus(429).With("Reason", "ReservedFunctionConcurrentInvocationLimitExceeded"))
	var got map[string]string
	if err := json.Unmarshal(r.Body, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Type": "User", "Message": "Rate Exceeded.", "message": "Rate Exceeded.", "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}
	if diff := cmp.Diff(got, want); diff != "" || r.Status != 429 || header(r, "X-Amzn-ErrorType") != "TooManyRequestsException" {
		t.Errorf("%d %v %s", r.Status, r.Header, diff)
	}
}
