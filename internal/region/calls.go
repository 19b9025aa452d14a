package region

import (
	"net/http"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/server"
	"github.com/culvert-cloud/culvert/internal/calls"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// openCalls opens the log of calls. It ends before the state does, and after the doors have closed.
func (r *Region) openCalls() error {
	path, err := r.directory.sub("calls")
	if err != nil {
		return err
	}
	if r.calls, err = calls.Open(path); err != nil {
		return err
	}
	r.later(r.calls.Close)
	return nil
}

// recorded is told of every call after its answer.
func (r *Region) recorded(c server.Record) {
	if c.Caller.Type == api.User {
		r.iam.Used(c.Caller.AccessKeyID, r.config.Region, c.Service, c.Time)
	}
	r.calls.Later(func() *calls.Event { return r.event(&c) }, func(err error) {
		r.config.Log.Error("call not logged", "request", c.RequestID, "error", err)
	})
}

// event is a call as the log keeps it.
func (r *Region) event(c *server.Record) *calls.Event {
	e := &calls.Event{
		EventVersion: "1.11", EventType: "AwsApiCall", EventTime: c.Time.UTC(), EventSource: c.Service + ".amazonaws.com", EventName: c.Operation,
		AWSRegion: r.config.Region, UserAgent: c.UserAgent, ErrorCode: c.Code, ErrorMessage: c.Message,
		RequestID: c.RequestID, EventID: c.RequestID, RecipientAccountID: Account,
		VPCEndpointID: c.Origin.VPCEndpointID, UserIdentity: calls.IdentityOf(&c.Caller),
	}
	if c.Origin.SourceIP.IsValid() {
		e.SourceIPAddress = c.Origin.SourceIP.Unmap().String()
	}
	more := &e.AdditionalEventData
	more.Door, more.VPC, more.Status, more.Took = string(c.Origin.Door), c.Origin.VPCID, c.Status, float64(c.Duration.Microseconds())/1000
	more.Interface = r.interfaceOf(&c.Origin)
	for i := range c.Decisions {
		d := &c.Decisions[i]
		more.Decisions = append(more.Decisions, calls.DecisionOf(d.Action, d.Resource, &d.Decision))
		if on := (calls.Resource{ARN: more.Decisions[i].Resource}); on.ARN != "*" && !slices.Contains(e.Resources, on) {
			e.Resources = append(e.Resources, on)
		}
	}
	if n := len(more.Decisions); e.ErrorCode == "" && c.Status == http.StatusForbidden && n > 0 && !more.Decisions[n-1].Allowed {
		e.ErrorCode = "AccessDenied" // S3 answers by itself
	}
	return e
}

// interfaceOf finds the interface that a call through an endpoint came from.
func (r *Region) interfaceOf(o *api.Origin) string {
	if o.Door != api.DoorEndpoint {
		return ""
	}
	for _, n := range state.Select(r.store.View(), func(n *resource.NetworkInterface) bool {
		return string(n.VPCID) == o.VPCID && slices.Contains(n.PrivateIPs, o.SourceIP.Unmap())
	}) {
		return string(n.ID)
	}
	return ""
}
