package s3

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// Lifecycle rules are checked, kept and answered. Nothing expires or moves: see the page of what is not enforced.

const (
	maxRules = 1000
	// minimumSize is the header, and the name beside the rules, by which a bucket says from what size objects move.
	minimumSize        = "X-Amz-Transition-Default-Minimum-Object-Size"
	defaultMinimumSize = "all_storage_classes_128K"
)

// lifecycleActions are the elements of a rule that do something.
var lifecycleActions = []string{
	"Expiration", "Transition", "NoncurrentVersionExpiration", "NoncurrentVersionTransition", "AbortIncompleteMultipartUpload",
}

func acceptLifecycle(body []byte) (string, error) {
	var n node
	if err := parseXML(body, "LifecycleConfiguration", &n); err != nil {
		return "", err
	}
	if len(n.Children) == 0 || len(n.Children) > maxRules {
		return "", malformedXML()
	}
	ids := map[string]bool{}
	for i := range n.Children {
		if err := checkRule(&n.Children[i], ids); err != nil {
			return "", err
		}
	}
	return n.String(), nil
}

// checkRule checks one rule and gives it an id if it has none.
func checkRule(rule *node, ids map[string]bool) error {
	status, acts, selects := rule.text("Status"), 0, 0
	for _, c := range rule.Children {
		switch name := c.XMLName.Local; {
		case slices.Contains(lifecycleActions, name):
			acts++
			if err := checkAction(&c); err != nil {
				return err
			}
		case name == "Prefix", name == "Filter":
			selects++
		case name != "ID" && name != "Status":
			return malformedXML()
		}
	}
	if rule.XMLName.Local != "Rule" || status != "Enabled" && status != "Disabled" || selects != 1 {
		return malformedXML()
	}
	if acts == 0 {
		return api.Errorf("InvalidRequest", "At least one action needs to be specified in a rule")
	}
	id := rule.text("ID")
	switch {
	case len(id) > 255:
		return invalidArgument("ID length should not exceed allowed limit of 255", "ID", id)
	case id == "":
		id = "rule-" + itoa(len(ids)+1)
		rule.Children = append([]node{{XMLName: named("ID"), Text: id}}, rule.Children...)
	}
	if ids[id] {
		return invalidArgument("Rule ID must be unique. Found same ID for more than one rule", "ID", id)
	}
	ids[id] = true
	return nil
}

// checkAction checks the numbers and dates of an action.
func checkAction(action *node) error {
	if len(action.Children) == 0 {
		return malformedXML()
	}
	for _, c := range action.Children {
		text := strings.TrimSpace(c.Text)
		switch c.XMLName.Local {
		case "Days", "NoncurrentDays", "NewerNoncurrentVersions", "DaysAfterInitiation":
			days, err := strconv.Atoi(text)
			if err != nil {
				return malformedXML()
			}
			if days < 1 && !strings.HasSuffix(action.XMLName.Local, "Transition") || days < 0 {
				return api.Errorf("InvalidArgument", "'%s' for %s action must be a positive integer", c.XMLName.Local, action.XMLName.Local)
			}
		case "Date":
			d, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return malformedXML()
			}
			if !d.Equal(d.Truncate(24 * time.Hour)) {
				return api.Errorf("InvalidArgument", "'Date' must be at midnight GMT")
			}
		case "StorageClass":
			if !slices.Contains([]string{"STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR", "DEEP_ARCHIVE"}, text) {
				return malformedXML()
			}
		case "ExpiredObjectDeleteMarker":
			if text != "true" && text != "false" {
				return malformedXML()
			}
		default:
			return malformedXML()
		}
	}
	return nil
}

func (s *Service) getLifecycle(c configuration) func(http.ResponseWriter, *request) error {
	get := s.getConfiguration(c)
	return func(w http.ResponseWriter, r *request) error {
		if _, ok := r.config.Subresources[c.subresource]; ok {
			w.Header().Set(minimumSize, minimumSizeOf(r.config))
		}
		return get(w, r)
	}
}

func (s *Service) putLifecycle(c configuration) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		size := r.header.Get(minimumSize)
		if size != "" && size != defaultMinimumSize && size != "varies_by_storage_class" {
			return invalidArgument("Invalid value for the default minimum object size.", strings.ToLower(minimumSize), size)
		}
		body, err := r.readBody()
		if err != nil {
			return err
		}
		document, err := c.accept(body)
		if err != nil {
			return err
		}
		err = s.change(r, func(b *resource.Bucket) {
			b.Subresources[c.subresource] = document
			delete(b.Subresources, minimumSize)
			if size != "" {
				b.Subresources[minimumSize] = size
			}
			size = minimumSizeOf(b)
		})
		if err != nil {
			return err
		}
		w.Header().Set(minimumSize, size)
		w.WriteHeader(http.StatusOK)
		return nil
	}
}

func minimumSizeOf(b *resource.Bucket) string {
	if size := b.Subresources[minimumSize]; size != "" {
		return size
	}
	return defaultMinimumSize
}

// text is what an element's child of a name says.
func (n *node) text(name string) string {
	for _, c := range n.Children {
		if c.XMLName.Local == name {
			return strings.TrimSpace(c.Text)
		}
	}
	return ""
}
