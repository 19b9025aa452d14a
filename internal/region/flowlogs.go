package region

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/network/flowlog"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/iam"
	"github.com/culvert-cloud/culvert/internal/service/logs"
	"github.com/culvert-cloud/culvert/internal/service/s3"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Why records could not be delivered, in AWS's words.
const (
	accessError  = "Access error"
	unknownError = "Unknown error"
)

// flowLogService is who writes to log groups.
const flowLogService = "vpc-flow-logs.amazonaws.com"

// flowLogs makes records of what interfaces saw, and delivers them.
type flowLogs struct {
	region  *Region
	objects *s3.Service

	delivering sync.Mutex // one at a time, in order; taken before mu

	mu         sync.Mutex
	aggregator flowlog.Aggregator            // guarded by mu
	failures   map[resource.FlowLogID]string // guarded by mu
	ended      bool                          // guarded by mu
}

// openFlowLogs begins to make records. It ends before logs and objects do, with the records of the time that was not over.
func (r *Region) openFlowLogs(objects *s3.Service) {
	l := &flowLogs{region: r, objects: objects, failures: map[resource.FlowLogID]string{}}
	l.aggregator.Every = r.config.FlowLogInterval
	l.aggregator.Place = flowlog.Place{Account: Account, Region: r.config.Region, ZoneID: r.zoneID, Instance: r.instanceOf}
	r.flowLogs = l
	r.later(func() error {
		r.collector.collect()
		r.collector.deliver()
		l.deliver(l.last())
		return nil
	})
}

func (r *Region) zoneID(id resource.SubnetID) string {
	if s, ok := state.Get[*resource.Subnet](r.store.View(), id); ok {
		return s.AvailabilityZoneID
	}
	return ""
}

func (r *Region) instanceOf(id resource.NetworkInterfaceID) string {
	if n, ok := state.Get[*resource.NetworkInterface](r.store.View(), id); ok && n.Attachment != nil {
		return string(n.Attachment.InstanceID)
	}
	return ""
}

// mayChangePolicy asks what S3 would ask of who reads and changes the policy of a bucket.
func (r *Region) mayChangePolicy(view state.Reader, call *api.Call, b *resource.Bucket, document *policy.Document) bool {
	if call.Caller.Type == api.Root {
		document = nil // which cannot take this from the account's root
	}
	for _, action := range []string{"s3:GetBucketPolicy", "s3:PutBucketPolicy"} {
		d, err := r.iam.Decide(view, call, iam.Question{Action: action, Resource: "arn:aws:s3:::" + b.Name, Policy: document})
		if err != nil || !d.Allowed {
			return false
		}
	}
	return true
}

// failure says why records of a flow log could not be delivered last; empty: they could.
func (l *flowLogs) failure(id resource.FlowLogID) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failures[id]
}

// see takes what passed and what was refused, and gives the records that are due.
func (l *flowLogs) see(t *topology.Topology, flows []dataplane.Flow, refused []flow.Sight, lost bool) []flowlog.Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	all := state.List[*resource.FlowLog](l.region.store.View())
	l.aggregator.Follow(all, now)
	if l.ended || l.aggregator.Idle() {
		return nil
	}
	for _, f := range flows {
		for _, s := range flow.Passed(t, f) {
			l.aggregator.See(s)
		}
	}
	for _, s := range refused {
		l.aggregator.See(s)
	}
	if lost {
		l.aggregator.Lose()
	}
	maps.DeleteFunc(l.failures, func(id resource.FlowLogID, _ string) bool {
		return !slices.ContainsFunc(all, func(f *resource.FlowLog) bool { return f.ID == id })
	})
	return l.aggregator.Due(t, now)
}

// last gives the records of what is left, after which there are no more.
func (l *flowLogs) last() []flowlog.Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if t := l.region.topology.Load(); t != nil {
		return l.aggregator.All(t, time.Now())
	}
	return nil
}

// errAccess is for what a role or a bucket does not allow.
var errAccess = errors.New("delivery is not allowed")

func (l *flowLogs) deliver(batches []flowlog.Batch) {
	l.delivering.Lock()
	defer l.delivering.Unlock()
	for _, b := range batches {
		to := l.toGroup
		if b.Log.Destination == "s3" {
			to = l.toBucket
		}
		err, failure := to(b), ""
		switch {
		case errors.Is(err, errAccess):
			failure = accessError
		case err != nil:
			l.region.config.Log.Error("flow log not delivered", "flow-log", b.Log.ID, "error", err)
			failure = unknownError
		}
		l.mu.Lock()
		if delete(l.failures, b.Log.ID); failure != "" {
			l.failures[b.Log.ID] = failure
		}
		l.mu.Unlock()
	}
}

// toGroup writes a stream for each interface, as the flow log's role.
func (l *flowLogs) toGroup(b flowlog.Batch) error {
	r, view := l.region, l.region.store.View()
	source := "arn:aws:ec2:" + view.Region() + ":" + Account + ":vpc-flow-log/" + string(b.Log.ID)
	if !r.iam.AssumableFor(view, b.Log.RoleARN, flowLogService, source) {
		return errAccess
	}
	group := "arn:aws:logs:" + view.Region() + ":" + Account + ":log-group:" + b.Log.LogGroupName + ":log-stream:"
	if _, there := state.Get[*resource.LogGroup](view, b.Log.LogGroupName); !there && !r.iam.AllowsOn(view, b.Log.RoleARN, "logs:CreateLogGroup", group) {
		return errAccess
	}
	streams := map[string][]logs.Event{}
	for _, record := range b.Records {
		name := flowlog.Stream(b.Log, record.ENI)
		streams[name] = append(streams[name], logs.Event{Timestamp: record.Time.UnixMilli(), Message: record.Line})
	}
	for _, name := range slices.Sorted(maps.Keys(streams)) {
		if !r.logs.HasStream(b.Log.LogGroupName, name) && !r.iam.AllowsOn(view, b.Log.RoleARN, "logs:CreateLogStream", group) ||
			!r.iam.AllowsOn(view, b.Log.RoleARN, "logs:PutLogEvents", group+name) {
			return errAccess
		}
		if err := r.logs.Append(b.Log.LogGroupName, name, streams[name]); err != nil {
			return err
		}
	}
	return nil
}

// toBucket puts one file for all interfaces, as the delivery service.
func (l *flowLogs) toBucket(b flowlog.Batch) error {
	key, content, err := flowlog.File(b, Account, l.region.config.Region, time.Now())
	if err != nil {
		return err
	}
	bucket, _ := b.Log.Bucket()
	ctx, cancel := context.WithTimeout(context.Background(), settleLimit)
	defer cancel()
	allowed, err := l.objects.Deliver(ctx, s3.Delivery{
		Service: flowlog.DeliveryService, Keys: flowlog.DeliveryKeys(l.region.config.Region, Account),
		Bucket: bucket, Key: key, Encoding: "gzip", Content: content,
	})
	if err == nil && !allowed {
		return errAccess
	}
	return err
}
