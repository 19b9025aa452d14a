package server

import (
	"reflect"
	"strings"
)

// requestTags finds the tags that a request brings and makes them the condition keys aws:RequestTag/... and
// aws:TagKeys. All services call the member Tags, a list of keys and values or a map; EC2 puts that list into
// TagSpecifications.
func requestTags(input any) map[string][]string {
	keys := map[string][]string{}
	v := reflect.ValueOf(input).Elem()
	addTags(keys, v.FieldByName("Tags"))
	if specifications := v.FieldByName("TagSpecifications"); specifications.IsValid() && specifications.Kind() == reflect.Slice {
		for i := range specifications.Len() {
			addTags(keys, specifications.Index(i).FieldByName("Tags"))
		}
	}
	return keys
}

func addTags(keys map[string][]string, tags reflect.Value) {
	if !tags.IsValid() {
		return
	}
	if m, ok := tags.Interface().(map[string]string); ok {
		for k, v := range m {
			addTag(keys, k, v)
		}
		return
	}
	if tags.Kind() != reflect.Slice || tags.Type().Elem().Kind() != reflect.Struct {
		return
	}
	for i := range tags.Len() {
		addTag(keys, textOf(tags.Index(i).FieldByName("Key")), textOf(tags.Index(i).FieldByName("Value")))
	}
}

func addTag(keys map[string][]string, key, value string) {
	keys["aws:requesttag/"+strings.ToLower(key)] = []string{value}
	keys["aws:tagkeys"] = append(keys["aws:tagkeys"], key)
}

func textOf(v reflect.Value) string {
	if !v.IsValid() {
		return ""
	}
	if s, ok := v.Interface().(*string); ok && s != nil {
		return *s
	}
	return ""
}
