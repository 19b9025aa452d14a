package logs

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const classStandard = "STANDARD"

// maxTags is how many tags a group may have.
const maxTags = 50

func (s *Service) createLogGroup(tx *state.Tx, _ *api.Call, in *CreateLogGroupInput) (*CreateLogGroupOutput, error) {
	name := value(in.LogGroupName)
	if err := checkGroupName(name); err != nil {
		return nil, err
	}
	if in.KmsKeyId != nil {
		return nil, invalid("Culvert does not support encrypting log groups with a KMS key.")
	}
	class := classStandard
	if in.LogGroupClass != nil {
		class = *in.LogGroupClass
	}
	if class != classStandard && class != "INFREQUENT_ACCESS" {
		return nil, constraint(class, "logGroupClass", "Member must satisfy enum value set: [STANDARD, INFREQUENT_ACCESS]")
	}
	if _, ok := state.Get[*resource.LogGroup](tx, name); ok {
		return nil, api.Errorf("ResourceAlreadyExistsException", "The specified log group already exists")
	}
	tx.Put(&resource.LogGroup{Name: name, CreationTime: tx.Now(), Class: class, Tags: in.Tags})
	return &CreateLogGroupOutput{}, nil
}

// deleteLogGroup deletes the events first: a group that lost its events only is whole again after a restart,
// events without a group would be nobody's.
func (s *Service) deleteLogGroup(_ context.Context, _ *api.Call, in *DeleteLogGroupInput) (*DeleteLogGroupOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := findGroup(s.state.View(), in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	if err := s.events.DeleteGroup(g.Name); err != nil {
		return nil, err
	}
	_, err = s.state.Update(func(tx *state.Tx) error {
		tx.Delete(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &DeleteLogGroupOutput{}, nil
}

const maxDescribed = 50

func (s *Service) describeLogGroups(v *state.View, _ *api.Call, in *DescribeLogGroupsInput) (*DescribeLogGroupsOutput, error) {
	prefix, pattern := value(in.LogGroupNamePrefix), value(in.LogGroupNamePattern)
	if prefix != "" && pattern != "" {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	if value(in.IncludeLinkedAccounts) || len(in.AccountIdentifiers) > 0 {
		return nil, invalid("Culvert has one account: includeLinkedAccounts and accountIdentifiers are not supported.")
	}
	after, err := decodeToken[string](in.NextToken)
	if err != nil {
		return nil, err
	}
	groups := state.Select(v, func(g *resource.LogGroup) bool {
		return strings.HasPrefix(g.Name, prefix) && strings.Contains(g.Name, pattern) &&
			(in.LogGroupClass == nil || g.Class == *in.LogGroupClass) && g.Name > value(after)
	})
	out := &DescribeLogGroupsOutput{LogGroups: []LogGroup{}}
	limit := pageSize(in.Limit, maxDescribed)
	for i, g := range groups {
		if i == limit {
			out.NextToken = encodeToken(groups[i-1].Name)
			break
		}
		out.LogGroups = append(out.LogGroups, s.describeGroup(v, g))
	}
	return out, nil
}

func (s *Service) describeGroup(v *state.View, g *resource.LogGroup) LogGroup {
	var stored int64
	for _, i := range s.events.Streams(g.Name) {
		stored += i.Bytes
	}
	arn := groupARN(v, g.Name)
	out := LogGroup{
		LogGroupName: &g.Name, CreationTime: ptr(g.CreationTime.UnixMilli()), MetricFilterCount: ptr(int64(0)),
		Arn: ptr(arn + ":*"), LogGroupArn: &arn, LogGroupClass: &g.Class, StoredBytes: &stored,
	}
	if g.RetentionInDays != 0 {
		out.RetentionInDays = ptr(int64(g.RetentionInDays))
	}
	return out
}

// retentionDays are the periods that AWS offers.
func retentionDays() []int64 {
	return []int64{
		1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
	}
}

func (s *Service) putRetentionPolicy(tx *state.Tx, _ *api.Call, in *PutRetentionPolicyInput) (*PutRetentionPolicyOutput, error) {
	days := value(in.RetentionInDays)
	if !slices.Contains(retentionDays(), days) {
		var set []string
		for _, d := range retentionDays() {
			set = append(set, strconv.FormatInt(d, 10))
		}
		return nil, constraint(strconv.FormatInt(days, 10), "retentionInDays",
			"Member must satisfy enum value set: ["+strings.Join(set, ", ")+"]")
	}
	return &PutRetentionPolicyOutput{}, setRetention(tx, in.LogGroupName, int(days))
}

func (s *Service) deleteRetentionPolicy(tx *state.Tx, _ *api.Call, in *DeleteRetentionPolicyInput) (*DeleteRetentionPolicyOutput, error) {
	return &DeleteRetentionPolicyOutput{}, setRetention(tx, in.LogGroupName, 0)
}

func setRetention(tx *state.Tx, name *string, days int) error {
	g, err := findGroup(tx, name, nil)
	if err != nil {
		return err
	}
	changed := *g
	changed.RetentionInDays = days
	tx.Put(&changed)
	return nil
}

func (s *Service) listTagsForResource(v *state.View, _ *api.Call, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	g, err := taggedGroup(v, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags := map[string]string(g.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	return &ListTagsForResourceOutput{Tags: tags}, nil
}

func (s *Service) tagResource(tx *state.Tx, _ *api.Call, in *TagResourceInput) (*TagResourceOutput, error) {
	g, err := taggedGroup(tx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	changed := *g
	changed.Tags = resource.Tags{}
	for _, tags := range []map[string]string{g.Tags, in.Tags} {
		for k, v := range tags {
			changed.Tags[k] = v
		}
	}
	if len(changed.Tags) > maxTags {
		return nil, api.Errorf("TooManyTagsException", "The maximum number of tags per resource is %d.", maxTags)
	}
	tx.Put(&changed)
	return &TagResourceOutput{}, nil
}

func (s *Service) untagResource(tx *state.Tx, _ *api.Call, in *UntagResourceInput) (*UntagResourceOutput, error) {
	g, err := taggedGroup(tx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	changed := *g
	changed.Tags = resource.Tags{}
	for k, v := range g.Tags {
		if !slices.Contains(in.TagKeys, k) {
			changed.Tags[k] = v
		}
	}
	tx.Put(&changed)
	return &UntagResourceOutput{}, nil
}

func taggedGroup(r state.Reader, arn *string) (*resource.LogGroup, error) {
	name, ok := nameFromARN(r, value(arn))
	if !ok {
		return nil, api.Errorf("ResourceNotFoundException", "The specified resource does not exist.")
	}
	return findGroup(r, &name, nil)
}

func ptr[T any](v T) *T { return &v }
