package logs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) createLogStream(_ context.Context, _ *api.Call, in *CreateLogStreamInput) (*CreateLogStreamOutput, error) {
	if err := checkStreamName(value(in.LogStreamName)); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	g, err := findGroup(s.state.View(), in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	err = s.events.CreateStream(g.Name, *in.LogStreamName, s.now())
	if errors.Is(err, errStreamExists) {
		return nil, api.Errorf("ResourceAlreadyExistsException", "The specified log stream already exists")
	}
	if err != nil {
		return nil, storeError(err)
	}
	return &CreateLogStreamOutput{}, nil
}

func (s *Service) deleteLogStream(_ context.Context, _ *api.Call, in *DeleteLogStreamInput) (*DeleteLogStreamOutput, error) {
	g, err := findGroup(s.state.View(), in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	if err := s.events.DeleteStream(g.Name, value(in.LogStreamName)); err != nil {
		return nil, storeError(err)
	}
	return &DeleteLogStreamOutput{}, nil
}

// storeError gives the errors of the event store that a caller may cause AWS's words.
func storeError(err error) error {
	switch {
	case errors.Is(err, errNoStream):
		return noStream()
	case errors.Is(err, syscall.ENOSPC):
		return api.Errorf("LimitExceededException", "There is no space left for log events: delete log groups or streams.")
	}
	return err
}

// streamPlace is where a page of streams ended.
type streamPlace struct {
	Name      string
	LastEvent int64
}

func (s *Service) describeLogStreams(v *state.View, _ *api.Call, in *DescribeLogStreamsInput) (*DescribeLogStreamsOutput, error) {
	g, err := findGroup(v, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	order, err := streamOrder(in)
	if err != nil {
		return nil, err
	}
	after, err := decodeToken[streamPlace](in.NextToken)
	if err != nil {
		return nil, err
	}
	streams := slices.DeleteFunc(s.events.Streams(g.Name), func(i StreamInfo) bool {
		return !strings.HasPrefix(i.Name, value(in.LogStreamNamePrefix)) ||
			after != nil && order(i, StreamInfo{Name: after.Name, LastEvent: after.LastEvent}) <= 0
	})
	slices.SortFunc(streams, order)
	out := &DescribeLogStreamsOutput{LogStreams: []LogStream{}}
	limit := pageSize(in.Limit, maxDescribed)
	for n, i := range streams {
		if n == limit {
			last := streams[n-1]
			out.NextToken = encodeToken(streamPlace{last.Name, last.LastEvent})
			break
		}
		out.LogStreams = append(out.LogStreams, describeStream(groupARN(v, g.Name), i))
	}
	return out, nil
}

func streamOrder(in *DescribeLogStreamsInput) (func(a, b StreamInfo) int, error) {
	byName := func(a, b StreamInfo) int { return strings.Compare(a.Name, b.Name) }
	order := byName
	switch o := value(in.OrderBy); o {
	case "", "LogStreamName":
	case "LastEventTime":
		if in.LogStreamNamePrefix != nil {
			return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
		}
		order = func(a, b StreamInfo) int { return cmp.Or(cmp.Compare(a.LastEvent, b.LastEvent), byName(a, b)) }
	default:
		return nil, constraint(o, "orderBy", "Member must satisfy enum value set: [LogStreamName, LastEventTime]")
	}
	if value(in.Descending) {
		return func(a, b StreamInfo) int { return order(b, a) }, nil
	}
	return order, nil
}

func describeStream(group string, i StreamInfo) LogStream {
	out := LogStream{
		LogStreamName: ptr(i.Name), CreationTime: ptr(i.Created), Arn: ptr(group + ":log-stream:" + i.Name),
		StoredBytes: ptr(int64(0)), // AWS reports nothing else since 2019
	}
	if i.Events > 0 {
		out.FirstEventTimestamp, out.LastEventTimestamp = &i.FirstEvent, &i.LastEvent
		out.LastIngestionTime, out.UploadSequenceToken = &i.LastIngestion, sequenceToken(i.Events)
	}
	return out
}
