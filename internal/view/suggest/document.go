package suggest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// statement is one Allow as it is written.
type statement struct {
	Effect    string                         `json:"Effect"`
	Principal string                         `json:"Principal,omitempty"`
	Action    []string                       `json:"Action"`
	Resource  []string                       `json:"Resource"`
	Condition map[string]map[string][]string `json:"Condition,omitempty"`
}

// statements brings resources together that have the same actions. principal is for an endpoint's policy; nil: none.
func statements(seen []Seen, principal *string) []statement {
	actions := map[string]map[string]bool{} // of a resource
	for _, s := range seen {
		on := literal(s.Resource)
		if actions[on] == nil {
			actions[on] = map[string]bool{}
		}
		actions[on][s.Action] = true
	}
	resources := map[string][]string{} // of a list of actions
	for _, on := range slices.Sorted(maps.Keys(actions)) {
		list := strings.Join(slices.Sorted(maps.Keys(actions[on])), " ")
		resources[list] = append(resources[list], on)
	}
	var out []statement
	for _, list := range slices.Sorted(maps.Keys(resources)) {
		s := statement{Effect: "Allow", Action: strings.Fields(list), Resource: resources[list]}
		if principal != nil {
			s.Principal = "*"
			if *principal != "" {
				s.Condition = map[string]map[string][]string{"ArnEquals": {"aws:PrincipalArn": {*principal}}}
			}
		}
		out = append(out, s)
	}
	return out
}

// literal writes an ARN so that nothing in it is a wildcard or a variable. A star that ends an ARN of another service
// than S3 stays one: it stands for what a call makes, which has no name yet.
func literal(arn string) string {
	if arn == "*" {
		return arn
	}
	tail := ""
	if head, ok := strings.CutSuffix(arn, "/*"); ok && !strings.HasPrefix(arn, "arn:aws:s3:") {
		arn, tail = head, "/*"
	}
	return strings.NewReplacer("$", "${$}", "*", "${*}", "?", "${?}").Replace(arn) + tail
}

// wholeBuckets puts every object's bucket in its place.
func wholeBuckets(seen []Seen) []Seen {
	out := map[Seen]bool{}
	for _, s := range seen {
		if bucket, key, ok := strings.Cut(s.Resource, "/"); ok && key != "" && strings.HasPrefix(bucket, "arn:aws:s3:::") {
			s.Resource = bucket + "/" + everyKey
		}
		out[s] = true
	}
	return sorted(out)
}

// everyKey stands for a star that is meant, until the document is written.
const everyKey = "\x00"

func document(list []statement) ([]byte, error) {
	for i := range list {
		for j, on := range list[i].Resource {
			list[i].Resource[j] = strings.ReplaceAll(on, everyKey, "*")
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(map[string]any{"Version": "2012-10-17", "Statement": list}); err != nil {
		return nil, fmt.Errorf("write the suggested document: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
