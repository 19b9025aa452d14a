package execution

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"
)

// finish writes the end of an invocation's log and completes its result.
func (e *environment) finish(inv Invocation, r *Result, f *fault) {
	switch {
	case f == nil:
	case f.kind == timedOut && r.Payload == nil:
		f.message = fmt.Sprintf("Task timed out after %.2f seconds", float64(e.function.Timeout))
		r.Duration = time.Duration(e.function.Timeout) * time.Second
	case f.kind == timedOut:
		r.Duration = time.Duration(e.function.Timeout) * time.Second
	}
	if f != nil && r.Payload == nil {
		r.Payload, r.FunctionError = f.body(inv.RequestID), unhandled
	}
	if e.life == ready {
		e.flush()
	} else {
		e.endOutput()
	}
	e.printFault(inv, f)
	usage := e.box.Usage()
	r.MaxMemoryMB = int((usage.Peak + 1<<20 - 1) >> 20)
	r.BilledMS = int64(math.Ceil(milliseconds(r.Duration) + milliseconds(r.InitDuration)))
	e.logEnd(inv, r, f)
	r.LogTail = e.stream.lastOutput()
	if e.life == ready {
		e.freeze()
	}
	e.stream.send()
}

// printFault logs what the runtime could not log itself. A timeout is told by the report alone.
func (e *environment) printFault(inv Invocation, f *fault) {
	if f != nil && f.payload == nil && f.message != "" && f.kind != timedOut {
		e.stream.print("RequestId: %s Error: %s\n%s\n", inv.RequestID, f.message, f.kind)
	}
}

// report is the REPORT line.
func (e *environment) report(inv Invocation, r *Result, f *fault) string {
	var b strings.Builder
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		inv.RequestID, milliseconds(r.Duration), r.BilledMS, e.function.MemorySize, r.MaxMemoryMB)
	if r.InitDuration > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", milliseconds(r.InitDuration))
	}
	switch {
	case f == nil:
	case f.kind == timedOut:
		b.WriteString("Status: timeout")
	default:
		b.WriteString("Status: error\tError Type: " + f.kind)
	}
	b.WriteByte('\n')
	return b.String()
}

// endOutput completes the log of a runtime that is gone.
func (e *environment) endOutput() {
	for _, d := range e.output {
		d.endRecord()
	}
}

// runtimeARN names the runtime's version, which here is that of this machine's interpreter.
func (e *environment) runtimeARN() string {
	sum := sha256.Sum256([]byte(e.plan.Version))
	return fmt.Sprintf("arn:aws:lambda:%s::runtime:%s", e.cfg.Region, hex.EncodeToString(sum[:]))
}

// newTrace is an X-Ray trace header of an invocation that is not traced.
func newTrace(now time.Time) string {
	id := newID()
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), id[:24], newID()[:16])
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
