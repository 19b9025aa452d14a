package ec2

import (
	"net/netip"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Config says how the service behaves.
type Config struct {
	// PublicAddresses are the blocks Elastic IP addresses come from; none: DefaultPublicAddresses.
	PublicAddresses []netip.Prefix
	// Console returns what an instance has written last, and when. Nil: nothing.
	Console func(resource.InstanceID) (written []byte, at time.Time)
	// DeliveryError says why records of a flow log could not be delivered last; empty: they could. Nil: they always can.
	DeliveryError func(resource.FlowLogID) string
	// MayChangePolicy reports whether a caller may read and change the policy of a bucket. Nil: nobody may.
	MayChangePolicy func(state.Reader, *api.Call, *resource.Bucket, *policy.Document) bool
}

// DefaultPublicAddresses are two of the ranges that RFC 5737 reserves for documentation. Nothing leaves the
// region, so an Elastic IP address must not be one that somebody on the real internet has.
func DefaultPublicAddresses() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("198.51.100.0/24")}
}

type ec2 struct {
	config Config
}

// New makes the service.
func New(c Config) service.Definition {
	if len(c.PublicAddresses) == 0 {
		c.PublicAddresses = DefaultPublicAddresses()
	}
	s := &ec2{config: c}
	return service.Definition{
		Name:       "ec2",
		Protocol:   service.EC2Query,
		Version:    "2016-11-15",
		Namespace:  "http://ec2.amazonaws.com/doc/2016-11-15/",
		Operations: s.operations(),
	}
}

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// given reports whether a text parameter is there and not empty, which EC2 does not tell apart.
func given(p *string) bool { return value(p) != "" }

func missing(parameter string) error {
	return api.Errorf("MissingParameter", "The request must contain the parameter %s", parameter)
}

func invalidValue(parameter, value string) error {
	return api.Errorf("InvalidParameterValue", "Value (%s) for parameter %s is invalid.", value, parameter)
}

// unsupported refuses what this region could store but not enforce.
func unsupported(format string, args ...any) error {
	return api.Errorf("UnsupportedOperation", format, args...)
}

// arn names a resource of the region's account.
func arn(r state.Reader, kind, id string) string {
	return "arn:aws:ec2:" + r.Region() + ":" + r.Account() + ":" + kind + "/" + id
}

// stringsOf turns typed ids into text.
func stringsOf[T ~string](ids []T) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

// idsOf turns text into typed ids, each once.
func idsOf[T ~string](texts []string) []T {
	var out []T
	seen := map[string]bool{}
	for _, t := range texts {
		if !seen[t] {
			seen[t] = true
			out = append(out, T(t))
		}
	}
	return out
}
