package ec2

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Limits of tags; see the EC2 guide, "Tag restrictions".
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// newTags reads the tags that a Create call puts on the resource it makes.
func newTags(specs []TagSpecification, kind resource.Kind) (resource.Tags, error) {
	return newTagsFor(specs, string(kind))
}

func newTagsFor(specs []TagSpecification, kind string) (resource.Tags, error) {
	tags := resource.Tags{}
	for _, s := range specs {
		if value(s.ResourceType) != kind {
			return nil, api.Errorf("InvalidParameterValue", "'%s' is not a valid taggable resource type for this operation.", value(s.ResourceType))
		}
		for _, t := range s.Tags {
			if _, twice := tags[value(t.Key)]; twice {
				return nil, api.Errorf("InvalidParameterValue", "Duplicate tag key '%s' specified.", value(t.Key))
			}
			if err := setTag(tags, t); err != nil {
				return nil, err
			}
		}
	}
	return tags, checkTagCount(tags)
}

func setTag(tags resource.Tags, t Tag) error {
	key := value(t.Key)
	if key == "" || utf8.RuneCountInString(key) > maxTagKey {
		return api.Errorf("InvalidParameterValue", "Tag key length must be between 1 and %d characters.", maxTagKey)
	}
	if strings.HasPrefix(strings.ToLower(key), "aws:") {
		return api.Errorf("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
	}
	if t.Value == nil {
		return api.Errorf("InvalidParameterValue", "Tag value cannot be null. Use empty string instead.")
	}
	if utf8.RuneCountInString(*t.Value) > maxTagValue {
		return api.Errorf("InvalidParameterValue", "Tag value exceeds the maximum length of %d characters", maxTagValue)
	}
	tags[key] = *t.Value
	return nil
}

func checkTagCount(tags resource.Tags) error {
	if len(tags) > maxTags {
		return api.Errorf("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
	}
	return nil
}

// tagSet is the wire form, ordered by key.
func tagSet(tags resource.Tags) []Tag {
	out := make([]Tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, Tag{Key: new(k), Value: new(tags[k])})
	}
	return out
}

func (s *ec2) createTags(tx *state.Tx, _ *api.Call, in *CreateTagsInput) (*CreateTagsOutput, error) {
	if err := needResourcesAndTags(in.Resources, in.Tags); err != nil {
		return nil, err
	}
	err := retag(tx, in.Resources, func(tags resource.Tags) error {
		for _, t := range in.Tags {
			if err := setTag(tags, t); err != nil {
				return err
			}
		}
		return checkTagCount(tags)
	})
	if err != nil {
		return nil, err
	}
	return &CreateTagsOutput{}, nil
}

// deleteTags removes tags: all of a resource if none is named, and one with a value only if it has that value.
func (s *ec2) deleteTags(tx *state.Tx, _ *api.Call, in *DeleteTagsInput) (*DeleteTagsOutput, error) {
	if len(in.Resources) == 0 {
		return nil, missing("resourceIdSet")
	}
	err := retag(tx, in.Resources, func(tags resource.Tags) error {
		if len(in.Tags) == 0 {
			clear(tags)
		}
		for _, t := range in.Tags {
			if t.Value == nil || tags[value(t.Key)] == *t.Value {
				delete(tags, value(t.Key))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &DeleteTagsOutput{}, nil
}

func needResourcesAndTags(resources []string, tags []Tag) error {
	if len(resources) == 0 {
		return missing("resourceIdSet")
	}
	if len(tags) == 0 {
		return missing("tagSet")
	}
	return nil
}

func (s *ec2) describeTags(v *state.View, _ *api.Call, in *DescribeTagsInput) (*DescribeTagsOutput, error) {
	l := listing[TagDescription]{
		key: func(t TagDescription) string { return value(t.ResourceId) + "/" + value(t.Key) },
		fields: fields[TagDescription]{
			"key":           func(t TagDescription) []string { return text(t.Key) },
			"value":         func(t TagDescription) []string { return text(t.Value) },
			"resource-id":   func(t TagDescription) []string { return text(t.ResourceId) },
			"resource-type": func(t TagDescription) []string { return text(t.ResourceType) },
		},
	}
	page, next, err := l.answer(allTags(v), tagFilters(in.Filters), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeTagsOutput{Tags: page, NextToken: next}, nil
}

// tagFilters turns tag:<key>, which DescribeTags knows too, into what it means there.
func tagFilters(in []Filter) []Filter {
	var out []Filter
	for _, f := range in {
		if key, ok := strings.CutPrefix(value(f.Name), "tag:"); ok {
			out = append(out, Filter{Name: new("key"), Values: []string{key}})
			f.Name = new("value")
		}
		out = append(out, f)
	}
	return out
}
