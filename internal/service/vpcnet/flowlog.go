package vpcnet

import (
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// ForgetFlowLogs deletes the flow logs of a resource that is being deleted.
func ForgetFlowLogs(tx *state.Tx, of string) {
	for _, f := range state.Select(tx, func(f *resource.FlowLog) bool { return f.ResourceID == of }) {
		DeleteFlowLog(tx, f)
	}
}

// DeleteFlowLog removes a flow log and the token that made it.
func DeleteFlowLog(tx *state.Tx, f *resource.FlowLog) {
	for _, i := range state.Select(tx, func(i *resource.Idempotency) bool { return i.ResourceID == string(f.ID) }) {
		tx.Delete(i)
	}
	tx.Delete(f)
}
