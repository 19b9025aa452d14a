package logs

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/state"
)

// bench is a service with a clock that tests set.
type bench struct {
	*testing.T
	service *Service
	state   *state.Store
	now     time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return b.now }
	var err error
	if b.state, err = state.Open(state.Config{Region: "us-west-2", Account: "000000000000", Now: clock}); err != nil {
		t.Fatal(err)
	}
	if b.service, err = New(Config{State: b.state, Events: NewMemoryEvents(), Now: clock}); err != nil {
		t.Fatal(err)
	}
	return b
}

// call runs an operation as the front door would.
func call[Out any](b *bench, name string, in any) (*Out, error) {
	b.Helper()
	for _, o := range b.service.Definition().Operations {
		if o.Name != name {
			continue
		}
		if r := o.Resources(b.state.View(), in); len(r) == 0 {
			b.Errorf("%s declares no resources", name)
		}
		out, err := run(b, o.View, o.Update, o.Stream, in)
		if err != nil {
			return nil, err
		}
		return out.(*Out), nil
	}
	b.Fatalf("there is no operation %s", name)
	return nil, nil
}

func run(b *bench, view func(*state.View, *api.Call, any) (any, error), update func(*state.Tx, *api.Call, any) (any, error),
	stream func(context.Context, *api.Call, any) (any, error), in any,
) (out any, err error) {
	switch c := (&api.Call{}); {
	case view != nil:
		return view(b.state.View(), c, in)
	case update != nil:
		_, err = b.state.Update(func(tx *state.Tx) error {
			out, err = update(tx, c, in)
			return err
		})
		return out, err
	default:
		return stream(context.Background(), c, in)
	}
}

func must[Out any](b *bench, name string, in any) *Out {
	b.Helper()
	out, err := call[Out](b, name, in)
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return out
}

func (b *bench) refused(name string, in any, want string) {
	b.Helper()
	_, err := call[struct{}](b, name, in)
	if err == nil || err.Error() != want {
		b.Errorf("%s:\n got %v\nwant %s", name, err, want)
	}
}

func (b *bench) withStream() *bench {
	must[CreateLogGroupOutput](b, "CreateLogGroup", &CreateLogGroupInput{LogGroupName: ptr("g")})
	must[CreateLogStreamOutput](b, "CreateLogStream", &CreateLogStreamInput{LogGroupName: ptr("g"), LogStreamName: ptr("s")})
	return b
}

func (b *bench) ms(d time.Duration) int64 { return b.now.Add(d).UnixMilli() }

func (b *bench) put(events ...InputLogEvent) *PutLogEventsOutput {
	b.Helper()
	return must[PutLogEventsOutput](b, "PutLogEvents", &PutLogEventsInput{LogGroupName: ptr("g"), LogStreamName: ptr("s"), LogEvents: events})
}

func input(timestamp int64, message string) InputLogEvent {
	return InputLogEvent{Timestamp: &timestamp, Message: &message}
}

func TestErrorsAreAWSsOwn(t *testing.T) {
	b := newBench(t).withStream()
	g, s, no := ptr("g"), ptr("s"), ptr("no")
	const (
		noGroup   = "ResourceNotFoundException: The specified log group does not exist."
		noStream  = "ResourceNotFoundException: The specified log stream does not exist."
		badTokens = "InvalidParameterException: The specified nextToken is invalid."
	)
	b.refused("CreateLogGroup", &CreateLogGroupInput{LogGroupName: g}, "ResourceAlreadyExistsException: The specified log group already exists")
	b.refused("CreateLogStream", &CreateLogStreamInput{LogGroupName: g, LogStreamName: s}, "ResourceAlreadyExistsException: The specified log stream already exists")
	b.refused("CreateLogGroup", &CreateLogGroupInput{LogGroupName: ptr("a b")}, "InvalidParameterException: 1 validation error detected: "+
		`Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)
	b.refused("CreateLogStream", &CreateLogStreamInput{LogGroupName: g, LogStreamName: ptr("a:b")}, "InvalidParameterException: 1 validation error detected: "+
		`Value 'a:b' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*`)
	b.refused("CreateLogGroup", &CreateLogGroupInput{LogGroupName: no, KmsKeyId: ptr("k")}, "InvalidParameterException: Culvert does not support encrypting log groups with a KMS key.")
	b.refused("DeleteLogGroup", &DeleteLogGroupInput{LogGroupName: no}, noGroup)
	b.refused("CreateLogStream", &CreateLogStreamInput{LogGroupName: no, LogStreamName: s}, noGroup)
	b.refused("DescribeLogStreams", &DescribeLogStreamsInput{LogGroupName: no}, noGroup)
	b.refused("FilterLogEvents", &FilterLogEventsInput{LogGroupName: no}, noGroup)
	b.refused("PutRetentionPolicy", &PutRetentionPolicyInput{LogGroupName: no, RetentionInDays: ptr(int64(1))}, noGroup)
	b.refused("GetLogEvents", &GetLogEventsInput{LogGroupName: g, LogStreamName: no}, noStream)
	b.refused("DeleteLogStream", &DeleteLogStreamInput{LogGroupName: g, LogStreamName: no}, noStream)
	b.refused("FilterLogEvents", &FilterLogEventsInput{LogGroupName: g, LogStreamNames: []string{"no"}}, noStream)
	b.refused("PutLogEvents", &PutLogEventsInput{LogGroupName: g, LogStreamName: no, LogEvents: []InputLogEvent{input(1, "x")}}, noStream)
	for _, token := range []string{"x", "f/1/s", "c/" + strings.Repeat("0", 56) + "/s", "f/" + strings.Repeat("x", 56) + "/s"} {
		b.refused("GetLogEvents", &GetLogEventsInput{LogGroupName: g, LogStreamName: s, NextToken: &token}, badTokens)
	}
	b.refused("FilterLogEvents", &FilterLogEventsInput{LogGroupName: g, NextToken: ptr("!")}, badTokens)
	b.refused("DescribeLogGroups", &DescribeLogGroupsInput{NextToken: ptr("!")}, badTokens)
	b.refused("FilterLogEvents", &FilterLogEventsInput{LogGroupName: g, FilterPattern: ptr("[a, b")},
		"InvalidParameterException: Invalid filter pattern: invalid filter pattern: a bracket is not closed.")
	b.refused("ListTagsForResource", &ListTagsForResourceInput{ResourceArn: ptr("arn:aws:logs:us-east-1:000000000000:log-group:g")},
		"ResourceNotFoundException: The specified resource does not exist.")
}

func TestBatchesThatAWSRefusesAreRefused(t *testing.T) {
	b := newBench(t).withStream()
	now := b.ms(0)
	for name, c := range map[string]struct {
		events []InputLogEvent
		want   string
	}{
		"order": {[]InputLogEvent{input(now, "a"), input(now-1, "b")}, "Log events in a single PutLogEvents request must be in chronological order."},
		"span":  {[]InputLogEvent{input(b.ms(-25*time.Hour), "a"), input(now, "b")}, "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."},
		"event": {[]InputLogEvent{input(now, strings.Repeat("x", 1<<20))}, "Log event too large: 1048602 bytes exceeds limit of 1048576"},
		"batch": {[]InputLogEvent{input(now, strings.Repeat("x", 1<<19)), input(now, strings.Repeat("x", 1<<19))}, "Upload too large: 1048628 bytes exceeds limit of 1048576"},
		"none":  {nil, "A batch holds between 1 and 10000 log events."},
	} {
		t.Run(name, func(t *testing.T) {
			b.refused("PutLogEvents", &PutLogEventsInput{LogGroupName: ptr("g"), LogStreamName: ptr("s"), LogEvents: c.events}, "InvalidParameterException: "+c.want)
		})
	}
}

func TestEventsOfUnacceptableTimesAreRejectedAndTheOthersKept(t *testing.T) {
	b := newBench(t).withStream()
	out := b.put(input(b.ms(-15*24*time.Hour), "old"))
	if diff := cmp.Diff(out.RejectedLogEventsInfo, &RejectedLogEventsInfo{TooOldLogEventEndIndex: ptr(int64(1))}); diff != "" {
		t.Error(diff)
	}
	out = b.put(input(b.ms(0), "now"), input(b.ms(3*time.Hour), "new"), input(b.ms(4*time.Hour), "newer"))
	if diff := cmp.Diff(out.RejectedLogEventsInfo, &RejectedLogEventsInfo{TooNewLogEventStartIndex: ptr(int64(1))}); diff != "" {
		t.Error(diff)
	}
	must[PutRetentionPolicyOutput](b, "PutRetentionPolicy", &PutRetentionPolicyInput{LogGroupName: ptr("g"), RetentionInDays: ptr(int64(3))})
	out = b.put(input(b.ms(-73*time.Hour), "expired"), input(b.ms(-71*time.Hour), "kept"))
	if diff := cmp.Diff(out.RejectedLogEventsInfo, &RejectedLogEventsInfo{ExpiredLogEventEndIndex: ptr(int64(1))}); diff != "" {
		t.Error(diff)
	}
	got := must[GetLogEventsOutput](b, "GetLogEvents", &GetLogEventsInput{LogGroupName: ptr("g"), LogStreamName: ptr("s")})
	if len(got.Events) != 2 || *got.Events[0].Message != "kept" || *got.Events[1].Message != "now" {
		t.Errorf("got %d events, want kept and now", len(got.Events))
	}
	b.now = b.now.Add(48 * time.Hour)
	got = must[GetLogEventsOutput](b, "GetLogEvents", &GetLogEventsInput{LogGroupName: ptr("g"), LogStreamName: ptr("s")})
	if len(got.Events) != 1 || *got.Events[0].Message != "now" {
		t.Errorf("got %d events after they expired, want now only", len(got.Events))
	}
	b.refused("PutRetentionPolicy", &PutRetentionPolicyInput{LogGroupName: ptr("g"), RetentionInDays: ptr(int64(2))}, "InvalidParameterException: "+
		"1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: "+
		"[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]")
}

func TestStreamsAreDescribedInTheOrderAskedFor(t *testing.T) {
	b := newBench(t)
	for i, name := range []string{"c", "a", "b"} {
		if err := b.service.Append("g", name, []Event{{b.ms(time.Duration(i) * time.Second), "x"}}); err != nil {
			t.Fatal(err)
		}
	}
	for want, in := range map[string]DescribeLogStreamsInput{
		"a b c": {},
		"c b a": {Descending: ptr(true)},
		"c a b": {OrderBy: ptr("LastEventTime")},
		"b a c": {OrderBy: ptr("LastEventTime"), Descending: ptr(true)},
		"b":     {LogStreamNamePrefix: ptr("b")},
	} {
		in.LogGroupName, in.Limit = ptr("g"), ptr(int64(1))
		var got []string
		for {
			out := must[DescribeLogStreamsOutput](b, "DescribeLogStreams", &in)
			for _, s := range out.LogStreams {
				got = append(got, *s.LogStreamName)
			}
			if out.NextToken == nil {
				break
			}
			in.NextToken = out.NextToken
		}
		if strings.Join(got, " ") != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	b.refused("DescribeLogStreams", &DescribeLogStreamsInput{LogGroupName: ptr("g"), OrderBy: ptr("LastEventTime"), LogStreamNamePrefix: ptr("b")},
		"InvalidParameterException: Cannot order by LastEventTime with a logStreamNamePrefix.")
}

func TestGroupsAreDescribedAsTerraformReadsThem(t *testing.T) {
	b := newBench(t).withStream()
	b.put(input(b.ms(0), "1234"))
	must[CreateLogGroupOutput](b, "CreateLogGroup", &CreateLogGroupInput{LogGroupName: ptr("h"), Tags: map[string]string{"k": "v"}})
	out := must[DescribeLogGroupsOutput](b, "DescribeLogGroups", &DescribeLogGroupsInput{LogGroupNamePrefix: ptr("g")})
	want := []LogGroup{{
		Arn: ptr("arn:aws:logs:us-west-2:000000000000:log-group:g:*"), LogGroupArn: ptr("arn:aws:logs:us-west-2:000000000000:log-group:g"),
		CreationTime: ptr(b.ms(0)), LogGroupClass: ptr("STANDARD"), LogGroupName: ptr("g"), MetricFilterCount: ptr(int64(0)), StoredBytes: ptr(int64(30)),
	}}
	if diff := cmp.Diff(out.LogGroups, want); diff != "" {
		t.Error(diff)
	}
	page := must[DescribeLogGroupsOutput](b, "DescribeLogGroups", &DescribeLogGroupsInput{Limit: ptr(int64(1))})
	next := must[DescribeLogGroupsOutput](b, "DescribeLogGroups", &DescribeLogGroupsInput{Limit: ptr(int64(1)), NextToken: page.NextToken})
	if *next.LogGroups[0].LogGroupName != "h" || next.NextToken != nil {
		t.Errorf("the second page is %v", next)
	}

	arn := ptr("arn:aws:logs:us-west-2:000000000000:log-group:h")
	must[TagResourceOutput](b, "TagResource", &TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "b"}})
	must[UntagResourceOutput](b, "UntagResource", &UntagResourceInput{ResourceArn: arn, TagKeys: []string{"k"}})
	tags := must[ListTagsForResourceOutput](b, "ListTagsForResource", &ListTagsForResourceInput{ResourceArn: arn})
	if diff := cmp.Diff(tags.Tags, map[string]string{"a": "b"}); diff != "" {
		t.Error(diff)
	}
}

func TestResourcesAreThoseOfAWSsDenials(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		operation, want string
		in              any
	}{
		{"CreateLogGroup", ":g:log-stream:", &CreateLogGroupInput{LogGroupName: ptr("g")}},
		{"PutLogEvents", ":g:log-stream:s", &PutLogEventsInput{LogGroupName: ptr("g"), LogStreamName: ptr("s")}},
		{"FilterLogEvents", ":g:log-stream:", &FilterLogEventsInput{LogGroupIdentifier: ptr("arn:aws:logs:us-west-2:000000000000:log-group:g:*")}},
		{"DescribeLogGroups", "::log-stream:", &DescribeLogGroupsInput{}},
		{"TagResource", ":g", &TagResourceInput{ResourceArn: ptr("arn:aws:logs:us-west-2:000000000000:log-group:g:*")}},
	} {
		for _, o := range b.service.Definition().Operations {
			if o.Name == c.operation {
				want := "arn:aws:logs:us-west-2:000000000000:log-group" + c.want
				if got := o.Resources(b.state.View(), c.in); len(got) != 1 || got[0] != want {
					t.Errorf("%s: got %v, want %s", c.operation, got, want)
				}
			}
		}
	}
}

func TestAppendMakesWhatIsMissingAndCutsWhatIsTooLong(t *testing.T) {
	b := newBench(t)
	long := strings.Repeat("ü", 1<<19)
	if err := b.service.Append("/aws/lambda/f", "2026/11/24/[$LATEST]00", []Event{{b.ms(0), long}, {b.ms(0), ""}}); err != nil {
		t.Fatal(err)
	}
	out := must[FilterLogEventsOutput](b, "FilterLogEvents", &FilterLogEventsInput{LogGroupName: ptr("/aws/lambda/f")})
	if len(out.Events) != 1 || len(*out.Events[0].Message) != 1<<20-26 || !strings.HasPrefix(long, *out.Events[0].Message) {
		t.Errorf("got %d events", len(out.Events))
	}
	for _, names := range [][2]string{{"", "s"}, {"g", ""}, {"a b", "s"}, {"g", "a*"}} {
		if err := b.service.Append(names[0], names[1], nil); err == nil {
			t.Errorf("append to %q in %q succeeded", names[1], names[0])
		}
	}
}

// Groups come and go while executions write; in the end every stream belongs to a group.
func TestDeletingAGroupWhileItIsWrittenLeavesNoOrphans(t *testing.T) {
	b := newBench(t)
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			for i := range 50 {
				if err := b.service.Append("g", fmt.Sprint("s", w), []Event{{int64(i), "x"}}); err != nil {
					t.Error(err)
				}
				_, err := b.service.deleteLogGroup(context.Background(), nil, &DeleteLogGroupInput{LogGroupName: ptr("g")})
				if e := api.AsError(err); err != nil && (e == nil || e.Code != "ResourceNotFoundException") {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	_, _ = b.service.deleteLogGroup(context.Background(), nil, &DeleteLogGroupInput{LogGroupName: ptr("g")})
	if got := b.service.events.Groups(); len(got) > 0 {
		t.Errorf("streams of no group in %v", got)
	}
}

func TestEventsOfGroupsThatTheStateDoesNotKnowAreDroppedAtStart(t *testing.T) {
	b := newBench(t).withStream()
	events := NewMemoryEvents()
	mustAppend(t, events, "g", "s", Event{1, "x"})
	mustAppend(t, events, "orphan", "s", Event{1, "x"})
	if _, err := New(Config{State: b.state, Events: events}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(events.Groups(), []string{"g"}); diff != "" {
		t.Error(diff)
	}
}
