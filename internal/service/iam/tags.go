package iam

import (
	"maps"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// addTags returns the tags with others put over them. Two keys that differ in case only are the same to IAM.
func addTags(old resource.Tags, more []Tag) (resource.Tags, error) {
	tags := maps.Clone(old)
	if tags == nil {
		tags = resource.Tags{}
	}
	seen := map[string]bool{}
	for _, t := range more {
		key := value(t.Key, "")
		folded := strings.ToLower(key)
		if seen[folded] {
			return nil, api.Errorf("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[folded] = true
		if strings.HasPrefix(folded, "aws:") {
			return nil, api.Errorf("InvalidInput", "Tag keys that begin with aws: are reserved for AWS: %s", key)
		}
		maps.DeleteFunc(tags, func(k, _ string) bool { return strings.EqualFold(k, key) })
		tags[key] = value(t.Value, "")
	}
	if len(tags) > maxTags {
		return nil, limitExceeded("The number of tags has reached the maximum limit.")
	}
	return tags, nil
}

// listTags returns tags as answers list them, ordered by key; nil if there are none.
func listTags(tags resource.Tags) []Tag {
	var out []Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		v := tags[k]
		out = append(out, Tag{Key: &k, Value: &v})
	}
	return out
}

// withoutTags returns the tags but for some keys, whatever their case.
func withoutTags(tags resource.Tags, keys []string) resource.Tags {
	left := maps.Clone(tags)
	maps.DeleteFunc(left, func(k, _ string) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(k, key) })
	})
	return left
}

// pageTags is one page of an answer that lists tags; never nil.
func pageTags(tags resource.Tags, marker *string, most *int64) (page []Tag, next *string, err error) {
	page, next, err = paginate(listTags(tags), func(t Tag) string { return *t.Key }, marker, most)
	return append([]Tag{}, page...), next, err
}

func (s *Service) tagRole(tx *state.Tx, _ *api.Call, in *TagRoleInput) (*TagRoleOutput, error) {
	err := changeAnyRole(tx, in.RoleName, func(r *resource.Role) (err error) {
		r.Tags, err = addTags(r.Tags, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &TagRoleOutput{}, nil
}

func (s *Service) untagRole(tx *state.Tx, _ *api.Call, in *UntagRoleInput) (*UntagRoleOutput, error) {
	err := changeAnyRole(tx, in.RoleName, func(r *resource.Role) error {
		r.Tags = withoutTags(r.Tags, in.TagKeys)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &UntagRoleOutput{}, nil
}

func (s *Service) listRoleTags(v *state.View, _ *api.Call, in *ListRoleTagsInput) (*ListRoleTagsOutput, error) {
	r, err := mustRole(v, in.RoleName)
	if err != nil {
		return nil, err
	}
	page, next, err := pageTags(r.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListRoleTagsOutput{IsTruncated: truncated(next), Marker: next, Tags: page}, nil
}
