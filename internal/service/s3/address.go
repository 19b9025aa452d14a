package s3

import (
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/culvert-cloud/culvert/internal/api"
)

// address is what a request names.
type address struct {
	level       level
	bucket, key string
	path        string
}

// host is what a host name says.
type host struct {
	bucket  string // virtual-host style; empty: the bucket is in the path
	control bool   // S3 Control
	local   bool   // not a name of AWS: the listener on the host
	region  string // empty: not said
}

// serviceHost matches S3's names under amazonaws.com: s3, s3.<region>, s3-<region>, s3.dualstack.<region>, with
// s3-control in place of s3, and anything in front.
var serviceHost = regexp.MustCompile(`^(?:(.+)\.)?(s3|s3-control)(?:\.dualstack)?(?:[.-]([a-z]{2}(?:-[a-z]+)+-\d))?$`)

const controlPath = "/v20180820/"

func parseAddress(hostport, path, region string) (address, error) {
	h, err := parseHost(hostport)
	if err != nil {
		return address{}, err
	}
	if h.region != "" && h.region != region {
		return address{}, (&api.Error{
			Code: "PermanentRedirect", Status: http.StatusMovedPermanently,
			Message: "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
		}).With("Endpoint", "s3."+region+".amazonaws.com")
	}
	if rest, ok := strings.CutPrefix(path, controlPath); ok && (h.control || h.local && strings.HasPrefix(rest, "tags/")) {
		return address{level: levelControl, path: rest}, nil
	}
	if h.control {
		return address{}, notImplemented("This S3 Control operation is not implemented.")
	}
	path = strings.TrimPrefix(path, "/")
	a := address{bucket: h.bucket, key: path}
	if h.bucket == "" {
		a.bucket, a.key, _ = strings.Cut(path, "/")
	}
	switch {
	case a.bucket == "" && a.key == "":
		a.level = levelService
	case a.bucket == "":
		return address{}, invalidBucketName(a.bucket)
	case a.key == "":
		a.level = levelBucket
	default:
		a.level = levelObject
	}
	return a, nil
}

// virtualBucket is the bucket that a host name stands for.
func virtualBucket(hostport string) string {
	h, err := parseHost(hostport)
	if err != nil {
		return ""
	}
	return h.bucket
}

func parseHost(hostport string) (host, error) {
	name := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if rest, ok := strings.CutSuffix(name, ".vpce.amazonaws.com"); ok {
		return parseEndpointHost(rest)
	}
	if rest, ok := strings.CutSuffix(name, ".amazonaws.com"); ok {
		m := serviceHost.FindStringSubmatch(rest)
		switch {
		case m == nil:
			return host{}, notImplemented("The host name " + name + " is none of S3's that are implemented.")
		case m[2] == "s3-control":
			return host{control: true, region: m[3]}, nil // the account id may stand in front
		}
		return host{bucket: m[1], region: m[3]}, nil
	}
	return parseLocalHost(name), nil
}

// parseEndpointHost parses a VPC endpoint's own name: bucket.vpce-0123-abcd.s3.<region>, where one bucket's name
// may stand in front.
func parseEndpointHost(name string) (host, error) {
	labels := strings.Split(name, ".")
	for i, label := range labels {
		if !strings.HasPrefix(label, "vpce-") {
			continue
		}
		kind := ""
		if i > 0 {
			kind = labels[i-1]
		}
		region := ""
		if len(labels) > i+2 {
			region = labels[i+2]
		}
		switch kind {
		case "":
			return host{region: region}, nil
		case "bucket":
			return host{bucket: strings.Join(labels[:i-1], "."), region: region}, nil
		case "control":
			return host{control: true, region: region}, nil
		}
		break
	}
	return host{}, notImplemented("The host name " + name + ".vpce.amazonaws.com is none of S3's that are implemented.")
}

var accountLabel = regexp.MustCompile(`^\d{12}\.`)

// parseLocalHost parses what tools on the host use: an address, localhost, aws.test. S3 Control puts the
// account in front; a bucket may stand in front of a name.
func parseLocalHost(name string) host {
	name = accountLabel.ReplaceAllString(name, "")
	if _, err := netip.ParseAddr(name); err == nil {
		return host{local: true}
	}
	for _, suffix := range []string{"localhost", "aws.test"} {
		if bucket, ok := strings.CutSuffix(name, "."+suffix); ok {
			return host{bucket: bucket, local: true}
		}
	}
	return host{local: true}
}

// engineFolder is where the engine keeps unfinished uploads, in each bucket.
const engineFolder = ".sgwtmp"

// checkKey refuses keys that S3 allows and our store cannot keep apart: keys are paths of files, so an empty,
// "." or ".." segment would name another object than the one that was authorised.
func checkKey(key string) error {
	if len(key) > 1024 {
		return (&api.Error{Code: "KeyTooLongError", Message: "Your key is too long", Status: 400}).
			With("Size", itoa(len(key))).With("MaxSizeAllowed", "1024")
	}
	if !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		return api.Errorf("InvalidURI", "Couldn't parse the specified URI.")
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(key, "/"), "/") {
		if segment == "" || segment == "." || segment == ".." || segment == engineFolder {
			return api.Errorf("InvalidArgument", "Keys with an empty segment or a segment %q, %q or %q are not supported.", ".", "..", engineFolder).
				With("ArgumentName", "key").With("ArgumentValue", key)
		}
	}
	return nil
}

// checkPrefix does the same for a prefix, whose last segment is only the beginning of one.
func checkPrefix(prefix string) error {
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		return checkKey(prefix[:i+1])
	}
	return nil
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// validBucketName implements the S3 guide's "General purpose bucket naming rules".
func validBucketName(name string) bool {
	if !bucketName.MatchString(name) || strings.Contains(name, "..") {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	for _, p := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, p) {
			return false
		}
	}
	for _, p := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, p) {
			return false
		}
	}
	return true
}
