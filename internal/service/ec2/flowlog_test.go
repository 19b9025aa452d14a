package ec2

import (
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const flowRole = "arn:aws:iam::123456789012:role/flow"

// flowLogOf asks for the usual flow log of a subnet.
func flowLogOf(subnet *string) CreateFlowLogsInput {
	return CreateFlowLogsInput{ResourceType: new("Subnet"), ResourceIds: []string{*subnet}, TrafficType: new("ALL"), LogGroupName: new("flows"), DeliverLogsPermissionArn: new(flowRole)}
}

func toBucket(subnet *string, arn string) CreateFlowLogsInput {
	in := flowLogOf(subnet)
	in.LogGroupName, in.DeliverLogsPermissionArn, in.LogDestinationType, in.LogDestination = nil, nil, new("s3"), &arn
	return in
}

func (w *world) bucket(name, text string) {
	w.t.Helper()
	if _, err := w.store.Update(func(tx *state.Tx) error { tx.Put(&resource.Bucket{Name: name, Policy: text}); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

func TestAFlowLogIsDescribedAsItWasMade(t *testing.T) {
	w := newWorld(t)
	subnet := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")
	in := flowLogOf(subnet)
	in.TagSpecifications = []TagSpecification{{ResourceType: new("vpc-flow-log"), Tags: []Tag{{Key: new("k"), Value: new("v")}}}}
	out := do(w, w.createFlowLogs, in)
	if len(out.FlowLogIds) != 1 || !strings.HasPrefix(out.FlowLogIds[0], "fl-") || len(out.Unsuccessful) != 0 {
		t.Fatalf("got %+v", out)
	}
	got := see(w, w.describeFlowLogs, DescribeFlowLogsInput{FlowLogIds: out.FlowLogIds}).FlowLogs
	want := []FlowLog{{
		FlowLogId: &out.FlowLogIds[0], FlowLogStatus: new("ACTIVE"), DeliverLogsStatus: new("SUCCESS"), ResourceId: subnet, TrafficType: new("ALL"),
		LogDestinationType: new("cloud-watch-logs"), LogGroupName: new("flows"), DeliverLogsPermissionArn: new(flowRole), MaxAggregationInterval: new(int64(600)),
		LogFormat:    new("${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"),
		CreationTime: &w.now, Tags: []Tag{{Key: new("k"), Value: new("v")}},
	}}
	if d := diff(got, want); d != "" {
		t.Error(d)
	}
	w.config.DeliveryError = func(resource.FlowLogID) string { return "Access error" }
	if f := see(w, w.describeFlowLogs, DescribeFlowLogsInput{}).FlowLogs[0]; *f.DeliverLogsStatus != "FAILED" || *f.DeliverLogsErrorMessage != "Access error" {
		t.Errorf("got %+v", f)
	}
	do(w, w.deleteFlowLogs, DeleteFlowLogsInput{FlowLogIds: out.FlowLogIds})
	if left := see(w, w.describeFlowLogs, DescribeFlowLogsInput{FlowLogIds: out.FlowLogIds}).FlowLogs; len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestWhatFlowLogsCannotDoIsRefused(t *testing.T) {
	w := newWorld(t)
	subnet := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")
	for name, c := range map[string]struct {
		change func(*CreateFlowLogsInput)
		code   string
		text   string
	}{
		"nowhere to":   {func(in *CreateFlowLogsInput) { in.LogGroupName = nil }, "InvalidParameter", "LogDestination can't be empty if LogGroupName is not provided."},
		"two places":   {func(in *CreateFlowLogsInput) { in.LogDestination = new("arn:aws:s3:::b") }, "InvalidParameter", "Please only provide LogGroupName or only provide LogDestination."},
		"group for s3": {func(in *CreateFlowLogsInput) { in.LogDestinationType = new("s3") }, "InvalidParameter", "LogDestination type must be cloud-watch-logs if LogGroupName is provided."},
		"no role":      {func(in *CreateFlowLogsInput) { in.DeliverLogsPermissionArn = nil }, "InvalidParameter", "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."},
		"no ARN":       {func(in *CreateFlowLogsInput) { in.DeliverLogsPermissionArn = new("flow") }, "InvalidParameter", ""},
		"bad group":    {func(in *CreateFlowLogsInput) { in.LogGroupName = new("a b") }, "InvalidParameter", ""},
		"foreign group": {func(in *CreateFlowLogsInput) {
			in.LogGroupName, in.LogDestination = nil, new("arn:aws:logs:us-west-2:1:log-group:x")
		}, "InvalidParameter", ""},
		"interval":        {func(in *CreateFlowLogsInput) { in.MaxAggregationInterval = new(int64(61)) }, "InvalidParameter", "Invalid Flow Log Max Aggregation Interval"},
		"traffic":         {func(in *CreateFlowLogsInput) { in.TrafficType = new("SOME") }, "InvalidParameterValue", ""},
		"no traffic":      {func(in *CreateFlowLogsInput) { in.TrafficType = nil }, "MissingParameter", ""},
		"type":            {func(in *CreateFlowLogsInput) { in.ResourceType = new("Network") }, "InvalidParameterValue", ""},
		"transit gateway": {func(in *CreateFlowLogsInput) { in.ResourceType = new("TransitGateway") }, "UnsupportedOperation", ""},
		"firehose":        {func(in *CreateFlowLogsInput) { in.LogDestinationType = new("kinesis-data-firehose") }, "UnsupportedOperation", ""},
		"destination":     {func(in *CreateFlowLogsInput) { in.LogDestinationType = new("tape") }, "InvalidParameterValue", ""},
		"cross account":   {func(in *CreateFlowLogsInput) { in.DeliverCrossAccountRole = new(flowRole) }, "UnsupportedOperation", ""},
		"gone":            {func(in *CreateFlowLogsInput) { in.ResourceIds = []string{*subnet, *nowhere("subnet")} }, "InvalidSubnetID.NotFound", ""},
		"malformed":       {func(in *CreateFlowLogsInput) { in.ResourceIds = []string{"subnet"} }, "InvalidSubnetID.Malformed", ""},
		"no bucket ARN":   {func(in *CreateFlowLogsInput) { *in = toBucket(subnet, "b") }, "InvalidParameter", ""},
		"reserved folder": {func(in *CreateFlowLogsInput) { *in = toBucket(subnet, "arn:aws:s3:::b/AWSLogs/") }, "InvalidParameter", ""},
		"parquet": {func(in *CreateFlowLogsInput) {
			*in = toBucket(subnet, "arn:aws:s3:::b")
			in.DestinationOptions = &DestinationOptionsRequest{FileFormat: new("parquet")}
		}, "UnsupportedOperation", ""},
		"options of a group": {func(in *CreateFlowLogsInput) { in.DestinationOptions = &DestinationOptionsRequest{} }, "InvalidParameter", ""},
		"unknown field":      {func(in *CreateFlowLogsInput) { in.LogFormat = new("${version} ${colour}") }, "InvalidParameter", "1 validation error detected: Value '${version} ${colour}' at 'logFormat' has an invalid format"},
		"space at the end":   {func(in *CreateFlowLogsInput) { in.LogFormat = new("${version} ") }, "InvalidParameter", "1 validation error detected: Value '${version} ' at 'logFormat' has an invalid format"},
		"tags": {func(in *CreateFlowLogsInput) {
			in.TagSpecifications = []TagSpecification{{ResourceType: new("vpc")}}
		}, "InvalidParameterValue", ""},
	} {
		in := flowLogOf(subnet)
		c.change(&in)
		_, err := try(w, w.createFlowLogs, in)
		if code(err) != c.code || c.text != "" && api.AsError(err).Message != c.text {
			t.Errorf("%s: got %v, want %s %s", name, err, c.code, c.text)
		}
	}
	refused(w, w.deleteFlowLogs, DeleteFlowLogsInput{}, "MissingParameter")
	refused(w, w.deleteFlowLogs, DeleteFlowLogsInput{FlowLogIds: []string{"fl"}}, "InvalidFlowLogId.Malformed")
	refused(w, w.deleteFlowLogs, DeleteFlowLogsInput{FlowLogIds: []string{*nowhere("fl")}}, "InvalidFlowLogId.NotFound")
}

func TestTheSameFlowLogTwiceIsRefusedAndATokenMakesOne(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	one, two := w.subnet(vpc, "10.0.1.0/24", "a"), w.subnet(vpc, "10.0.2.0/24", "a")
	in := flowLogOf(one)
	in.ClientToken = new("t")
	first := do(w, w.createFlowLogs, in).FlowLogIds[0]
	if again := do(w, w.createFlowLogs, in); len(again.FlowLogIds) != 1 || again.FlowLogIds[0] != first {
		t.Errorf("the token made %+v, before %s", again, first)
	}
	in.TrafficType = new("REJECT")
	refused(w, w.createFlowLogs, in, "IdempotentParameterMismatch")
	both := flowLogOf(one)
	both.ResourceIds = []string{*one, *two}
	out := do(w, w.createFlowLogs, both)
	if len(out.FlowLogIds) != 1 || len(out.Unsuccessful) != 1 || *out.Unsuccessful[0].ResourceId != *one || *out.Unsuccessful[0].Error.Code != "FlowLogAlreadyExists" {
		t.Errorf("got %+v", out)
	}
}

// What AWS does with the flow logs of a resource that goes is not known; here they go with it.
func TestFlowLogsGoWithTheirResource(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	eni := w.eni(subnet)
	for kind, id := range map[string]*string{"VPC": vpc, "Subnet": subnet, "NetworkInterface": eni} {
		in := flowLogOf(id)
		in.ResourceType, in.ClientToken = &kind, new(kind)
		do(w, w.createFlowLogs, in)
	}
	for i, remove := range []func(){
		func() { do(w, w.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: eni}) },
		func() { do(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: subnet}) },
		func() { do(w, w.deleteVPC, DeleteVpcInput{VpcId: vpc}) },
	} {
		remove()
		v := w.store.View()
		if left, tokens := len(state.List[*resource.FlowLog](v)), len(state.List[*resource.Idempotency](v)); left != 2-i || tokens != 2-i {
			t.Errorf("step %d: %d flow logs and %d tokens are left", i, left, tokens)
		}
	}
}

func TestABucketMustLetFilesBeDelivered(t *testing.T) {
	w := newWorld(t)
	subnet := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")
	fails := func(arn, want string) {
		t.Helper()
		out := do(w, w.createFlowLogs, toBucket(subnet, arn))
		if len(out.FlowLogIds) != 0 || len(out.Unsuccessful) != 1 || *out.Unsuccessful[0].Error.Code != "400" || *out.Unsuccessful[0].Error.Message != want {
			t.Errorf("%s: got %+v", arn, out)
		}
	}
	fails("arn:aws:s3:::none", "LogDestination: none does not exist")
	w.bucket("plain", "")
	denied := "Access Denied for LogDestination: plain. Please check LogDestination permission"
	fails("arn:aws:s3:::plain", denied)
	allowed := false
	w.config.MayChangePolicy = func(state.Reader, *api.Call, *resource.Bucket, *policy.Document) bool { return allowed }
	fails("arn:aws:s3:::plain", denied)
	allowed = true
	in := toBucket(subnet, "arn:aws:s3:::plain/folder/")
	in.DestinationOptions = &DestinationOptionsRequest{PerHourPartition: new(true)}
	do(w, w.createFlowLogs, in)
	b, _ := state.Get[*resource.Bucket](w.store.View(), "plain")
	if !strings.Contains(b.Policy, `"arn:aws:s3:::plain/folder/AWSLogs/123456789012/*"`) || !strings.Contains(b.Policy, "AWSLogDeliveryAclCheck1") {
		t.Errorf("the policy is %s", b.Policy)
	}
	if o := see(w, w.describeFlowLogs, DescribeFlowLogsInput{}).FlowLogs[0].DestinationOptions; !*o.PerHourPartition || *o.FileFormat != "plain-text" {
		t.Errorf("options %+v", o)
	}
	// The folder is covered now, others are not; and a denial stays one.
	allowed = false
	in.TrafficType = new("REJECT")
	if out := do(w, w.createFlowLogs, in); len(out.FlowLogIds) != 1 {
		t.Errorf("got %+v", out)
	}
	fails("arn:aws:s3:::plain/other", denied)
	allowed = true
	do(w, w.createFlowLogs, toBucket(subnet, "arn:aws:s3:::plain/other"))
	w.bucket("shut", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::shut/*"}}`)
	fails("arn:aws:s3:::shut", "Access Denied for LogDestination: shut. Please check LogDestination permission")
	w.bucket("odd", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"123456789012"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::odd/*"}}`)
	fails("arn:aws:s3:::odd", "Access Denied for LogDestination: odd. Please check LogDestination permission")
}
