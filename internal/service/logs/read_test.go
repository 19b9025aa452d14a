package logs

import (
	"strings"
	"testing"
	"time"
)

func eventMessages(out *GetLogEventsOutput) string {
	var all []string
	for _, e := range out.Events {
		all = append(all, *e.Message)
	}
	return strings.Join(all, "")
}

func TestTokensOfGetLogEventsGoBothWaysAndEndOnThemselves(t *testing.T) {
	b := newBench(t).withStream()
	get := func(token *string, head bool) *GetLogEventsOutput {
		t.Helper()
		return must[GetLogEventsOutput](b, "GetLogEvents", &GetLogEventsInput{
			LogGroupName: ptr("g"), LogStreamName: ptr("s"), NextToken: token, StartFromHead: &head, Limit: ptr(int64(2)),
		})
	}
	empty := get(nil, true)
	for _, m := range []string{"a", "b", "c", "d", "e"} {
		b.put(input(b.ms(0), m))
	}
	page := get(empty.NextForwardToken, true)
	if got := eventMessages(page); got != "ab" {
		t.Errorf("the first page holds %q, want ab", got)
	}
	page = get(page.NextForwardToken, true)
	last := get(page.NextForwardToken, true)
	if got := eventMessages(page) + eventMessages(last); got != "cde" {
		t.Errorf("the further pages hold %q, want cde", got)
	}
	end := get(last.NextForwardToken, true)
	if len(end.Events) != 0 || *end.NextForwardToken != *last.NextForwardToken {
		t.Errorf("the end is %d events and %s, want none and %s", len(end.Events), *end.NextForwardToken, *last.NextForwardToken)
	}
	if got := eventMessages(get(end.NextBackwardToken, true)); got != "de" {
		t.Errorf("backwards from the end there is %q, want de", got)
	}

	tail := get(nil, false)
	before := get(tail.NextBackwardToken, false)
	if got := eventMessages(tail) + eventMessages(before); got != "debc" {
		t.Errorf("the tail and what is before it hold %q, want debc", got)
	}
	start := get(get(before.NextBackwardToken, false).NextBackwardToken, false)
	again := get(start.NextBackwardToken, false)
	if len(start.Events) != 0 || *again.NextBackwardToken != *start.NextBackwardToken {
		t.Errorf("the start is %d events and %s, want none and %s", len(start.Events), *again.NextBackwardToken, *start.NextBackwardToken)
	}
	if got := eventMessages(get(start.NextForwardToken, false)); got != "ab" {
		t.Errorf("forwards from the start there is %q, want ab", got)
	}
}

func TestFilterLogEventsInterleavesStreamsAndPages(t *testing.T) {
	b := newBench(t)
	for i, e := range []struct{ stream, message string }{{"x", "1 ERROR"}, {"y", "2"}, {"x", "3 ERROR"}, {"y", "4 ERROR"}} {
		if err := b.service.Append("/aws/lambda/f", e.stream, []Event{{b.ms(time.Duration(i) * time.Second), e.message}}); err != nil {
			t.Fatal(err)
		}
	}
	filter := func(in FilterLogEventsInput) (string, *FilterLogEventsOutput) {
		t.Helper()
		var all []string
		for {
			out := must[FilterLogEventsOutput](b, "FilterLogEvents", &in)
			for _, e := range out.Events {
				all = append(all, *e.LogStreamName+*e.Message)
			}
			if out.NextToken == nil {
				return strings.Join(all, " "), out
			}
			in.NextToken = out.NextToken
		}
	}
	group := ptr("/aws/lambda/f")
	arn := ptr("arn:aws:logs:us-west-2:000000000000:log-group:/aws/lambda/f:*")
	for want, in := range map[string]FilterLogEventsInput{
		"x1 ERROR y2 x3 ERROR y4 ERROR": {LogGroupName: group, Limit: ptr(int64(1))},
		"x1 ERROR x3 ERROR y4 ERROR":    {LogGroupIdentifier: arn, FilterPattern: ptr("ERROR"), Limit: ptr(int64(2))},
		"y2 x3 ERROR":                   {LogGroupName: group, StartTime: ptr(b.ms(time.Second)), EndTime: ptr(b.ms(2 * time.Second))},
		"y2 y4 ERROR":                   {LogGroupName: group, LogStreamNames: []string{"y", "y"}},
		"x1 ERROR x3 ERROR":             {LogGroupName: group, LogStreamNamePrefix: ptr("x")},
		"":                              {LogGroupName: group, FilterPattern: ptr("nothing")},
	} {
		if got, _ := filter(in); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	_, out := filter(FilterLogEventsInput{LogGroupName: group})
	ids := map[string]bool{}
	for _, e := range out.Events {
		ids[*e.EventId] = true
		if len(*e.EventId) != 56 {
			t.Errorf("event id %s has not 56 digits", *e.EventId)
		}
	}
	if len(ids) != 4 {
		t.Errorf("got %d different event ids, want 4", len(ids))
	}
}
