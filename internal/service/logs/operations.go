package logs

import (
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Definition is the service as the front door knows it.
func (s *Service) Definition() service.Definition {
	return service.Definition{
		Name:         "logs",
		Protocol:     service.AWSJSON11,
		Version:      "2014-03-28",
		TargetPrefix: "Logs_20140328",
		Operations:   s.operations(),
	}
}

func (s *Service) operations() []service.Operation {
	return []service.Operation{
		service.Update("CreateLogGroup", s.createLogGroup, onGroup(func(in *CreateLogGroupInput) *string { return in.LogGroupName })),
		service.Stream("DeleteLogGroup", s.deleteLogGroup, onGroup(func(in *DeleteLogGroupInput) *string { return in.LogGroupName })),
		service.View("DescribeLogGroups", s.describeLogGroups, onGroup(func(in *DescribeLogGroupsInput) *string { return in.LogGroupNamePrefix })),
		service.Update("PutRetentionPolicy", s.putRetentionPolicy, onGroup(func(in *PutRetentionPolicyInput) *string { return in.LogGroupName })),
		service.Update("DeleteRetentionPolicy", s.deleteRetentionPolicy, onGroup(func(in *DeleteRetentionPolicyInput) *string { return in.LogGroupName })),

		service.Stream("CreateLogStream", s.createLogStream, onGroup(func(in *CreateLogStreamInput) *string { return in.LogGroupName })),
		service.Stream("DeleteLogStream", s.deleteLogStream, onStream(func(in *DeleteLogStreamInput) (*string, *string, *string) {
			return in.LogGroupName, nil, in.LogStreamName
		})),
		service.View("DescribeLogStreams", s.describeLogStreams, onStream(func(in *DescribeLogStreamsInput) (*string, *string, *string) {
			return in.LogGroupName, in.LogGroupIdentifier, nil
		})),

		service.Stream("PutLogEvents", s.putLogEvents, onStream(func(in *PutLogEventsInput) (*string, *string, *string) {
			return in.LogGroupName, nil, in.LogStreamName
		})),
		service.View("GetLogEvents", s.getLogEvents, onStream(func(in *GetLogEventsInput) (*string, *string, *string) {
			return in.LogGroupName, in.LogGroupIdentifier, in.LogStreamName
		})),
		service.View("FilterLogEvents", s.filterLogEvents, onStream(func(in *FilterLogEventsInput) (*string, *string, *string) {
			return in.LogGroupName, in.LogGroupIdentifier, nil
		})),

		service.View("ListTagsForResource", s.listTagsForResource, onARN(func(in *ListTagsForResourceInput) *string { return in.ResourceArn })),
		service.Update("TagResource", s.tagResource, onARN(func(in *TagResourceInput) *string { return in.ResourceArn })),
		service.Update("UntagResource", s.untagResource, onARN(func(in *UntagResourceInput) *string { return in.ResourceArn })),
	}
}

// onStream declares a stream as the resource. Where a call names no stream, AWS authorizes it on the stream with
// the empty name, which is why policies on groups have ARNs that end in :*.
func onStream[In any](f func(*In) (name, identifier, stream *string)) service.Option {
	return service.On(func(r state.Reader, in *In) []string {
		name, identifier, stream := f(in)
		group := value(name)
		if identifier != nil {
			if n, ok := nameFromARN(r, *identifier); ok {
				group = n
			} else {
				group = *identifier
			}
		}
		return []string{groupARN(r, group) + ":log-stream:" + value(stream)}
	})
}

func onGroup[In any](f func(*In) *string) service.Option {
	return onStream(func(in *In) (_, _, _ *string) { return f(in), nil, nil })
}

// onARN declares the resource that a tagging call names. Tagging is authorized on the ARN without :*.
func onARN[In any](f func(*In) *string) service.Option {
	return service.On(func(r state.Reader, in *In) []string {
		if name, ok := nameFromARN(r, value(f(in))); ok {
			return []string{groupARN(r, name)}
		}
		return []string{value(f(in))}
	})
}
