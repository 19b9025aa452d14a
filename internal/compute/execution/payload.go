package execution

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/resource"
)

const unhandled = "Unhandled"

// fault is why an invocation, or the initialization before it, has no answer.
type fault struct {
	kind    string // Runtime.ExitError
	message string // without the request id
	payload []byte // what the runtime itself said; nil: made of the above
}

const timedOut = "Sandbox.Timedout"

// body is the payload of an invocation that failed so.
func (f *fault) body(requestID string) []byte {
	if f.payload != nil {
		return f.payload
	}
	return errorBody(f.kind, fmt.Sprintf("RequestId: %s Error: %s", requestID, f.message))
}

// errorBody has its members in AWS's order.
func errorBody(kind, message string) []byte {
	b, _ := json.Marshal(struct { // two strings always can be encoded
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}{kind, message})
	return b
}

// exitFault is how the end of a runtime reads.
func exitFault(x sandbox.Exit) *fault {
	f := &fault{kind: "Runtime.ExitError"}
	switch {
	case x.Err != nil:
		f.kind, f.message = "Runtime.InvalidEntrypoint", x.Err.Error()
		return f
	case x.Signal != "":
		f.message = "Runtime exited with error: signal: " + x.Signal
	case x.Code == 0:
		f.message = "Runtime exited without providing a reason"
	default:
		f.message = fmt.Sprintf("Runtime exited with error: exit status %d", x.Code)
	}
	if x.OutOfMemory {
		f.kind = "Runtime.OutOfMemory"
	}
	return f
}

// refusal is an invocation that failed before there was an environment, by the function's own fault.
type refusal struct{ fault }

func (r *refusal) Error() string { return r.kind + ": " + r.message }

// refuse answers and logs such an invocation, as if it had begun.
func (p *Pool) refuse(f *resource.Function, inv Invocation, why *refusal) Result {
	e := &environment{id: newID(), function: f, cfg: &p.cfg, born: time.Now()}
	e.stream = e.newStream()
	r := Result{Payload: why.body(inv.RequestID), FunctionError: unhandled, ExecutedVersion: versionOf(f), Cold: true}
	e.logStart(inv.RequestID)
	e.printFault(inv, &why.fault)
	e.logEnd(inv, &r, &why.fault)
	e.stream.send()
	r.LogTail = e.stream.lastOutput()
	return r
}
