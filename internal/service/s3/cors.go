package s3

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
)

// corsRule is a rule by which a browser lets pages of other sites read answers.
type corsRule struct {
	ID            string   `xml:",omitempty"`
	AllowedHeader []string `xml:",omitempty"`
	AllowedMethod []string
	AllowedOrigin []string
	ExposeHeader  []string `xml:",omitempty"`
	MaxAgeSeconds *int     `xml:",omitempty"`
}

const maxCORSRules = 100

// acceptCORS checks the rules. They are kept and answered; browsers are not let in by them.
func acceptCORS(body []byte) (string, error) {
	var in struct {
		XMLName  xml.Name
		CORSRule []corsRule
	}
	if err := parseXML(body, "CORSConfiguration", &in); err != nil {
		return "", err
	}
	if len(in.CORSRule) == 0 || len(in.CORSRule) > maxCORSRules {
		return "", malformedXML()
	}
	for _, rule := range in.CORSRule {
		if len(rule.AllowedMethod) == 0 || len(rule.AllowedOrigin) == 0 {
			return "", malformedXML()
		}
		for _, m := range rule.AllowedMethod {
			if !slices.Contains([]string{"GET", "PUT", "POST", "DELETE", "HEAD"}, m) {
				return "", api.Errorf("InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is %s", m)
			}
		}
		for _, o := range append(slices.Clone(rule.AllowedOrigin), rule.AllowedHeader...) {
			if strings.Count(o, "*") > 1 {
				return "", api.Errorf("InvalidRequest", "AllowedOrigin \"%s\" can not have more than one wildcard.", o)
			}
		}
	}
	in.XMLName = named("CORSConfiguration")
	document, err := xml.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("write CORS configuration: %w", err)
	}
	return string(document), nil
}
