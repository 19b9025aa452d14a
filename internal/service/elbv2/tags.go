package elbv2

import (
	"maps"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const maxTags = 50

// newTags returns tags with others put over them.
func newTags(old resource.Tags, more []Tag) (resource.Tags, error) {
	tags := maps.Clone(old)
	if tags == nil {
		tags = resource.Tags{}
	}
	seen := map[string]bool{}
	for _, t := range more {
		key := value(t.Key)
		switch {
		case seen[key]:
			return nil, api.Errorf("DuplicateTagKeys", "The tag key '%s' was specified more than once", key)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, invalid("Tag keys that begin with 'aws:' are reserved for AWS: '%s'", key)
		}
		seen[key] = true
		tags[key] = value(t.Value)
	}
	if len(tags) > maxTags {
		return nil, api.Errorf("TooManyTags", "The maximum number of tags has been reached")
	}
	return tags, nil
}

// tagged returns a copy of what an ARN names, and the place of its tags.
func tagged(r state.Reader, arn string) (state.Resource, *resource.Tags, error) {
	switch {
	case strings.Contains(arn, ":loadbalancer/"):
		old, err := findBalancer(r, &arn)
		if err != nil {
			return nil, nil, err
		}
		c := new(*old)
		return c, &c.Tags, nil
	case strings.Contains(arn, ":targetgroup/"):
		old, err := findGroup(r, &arn)
		if err != nil {
			return nil, nil, err
		}
		c := new(*old)
		return c, &c.Tags, nil
	case strings.Contains(arn, ":listener/"):
		old, err := findListener(r, &arn)
		if err != nil {
			return nil, nil, err
		}
		c := new(*old)
		return c, &c.Tags, nil
	}
	return nil, nil, invalid("'%s' is not a valid ARN of a resource that has tags", arn)
}

func (s *elb) addTags(tx *state.Tx, _ *api.Call, in *AddTagsInput) (*AddTagsOutput, error) {
	for _, a := range in.ResourceArns {
		r, tags, err := tagged(tx, a)
		if err != nil {
			return nil, err
		}
		if *tags, err = newTags(*tags, in.Tags); err != nil {
			return nil, err
		}
		tx.Put(r)
	}
	return &AddTagsOutput{}, nil
}

func (s *elb) removeTags(tx *state.Tx, _ *api.Call, in *RemoveTagsInput) (*RemoveTagsOutput, error) {
	for _, a := range in.ResourceArns {
		r, tags, err := tagged(tx, a)
		if err != nil {
			return nil, err
		}
		*tags = maps.Clone(*tags)
		maps.DeleteFunc(*tags, func(k, _ string) bool { return slices.Contains(in.TagKeys, k) })
		tx.Put(r)
	}
	return &RemoveTagsOutput{}, nil
}

func (s *elb) describeTags(v *state.View, _ *api.Call, in *DescribeTagsInput) (*DescribeTagsOutput, error) {
	if len(in.ResourceArns) > 20 {
		return nil, invalid("At most 20 resources can be described at a time")
	}
	out := &DescribeTagsOutput{TagDescriptions: []TagDescription{}}
	for _, a := range in.ResourceArns {
		_, tags, err := tagged(v, a)
		if err != nil {
			return nil, err
		}
		d := TagDescription{ResourceArn: &a, Tags: []Tag{}}
		for _, k := range slices.Sorted(maps.Keys(*tags)) {
			d.Tags = append(d.Tags, Tag{Key: &k, Value: new((*tags)[k])})
		}
		out.TagDescriptions = append(out.TagDescriptions, d)
	}
	return out, nil
}
