package iam

import (
	"encoding/base32"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// arn is the ARN of a role or policy of this account.
func arn(r state.Reader, kind, path, name string) string {
	return "arn:aws:iam::" + r.Account() + ":" + kind + path + name
}

// newID makes a unique id: AROA, ANPA and so on, and 17 characters.
func newID(tx *state.Tx, prefix string) string {
	b, err := hex.DecodeString(tx.RandomHex(22)) // 88 bits, of which 85 are used
	if err != nil {
		panic(err) // RandomHex returned something else than hex
	}
	return prefix + base32.StdEncoding.EncodeToString(b)[:17]
}

// escape encodes a document as IAM's answers carry it: RFC 3986, so that a space is %20.
func escape(document string) *string {
	s := strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
	return &s
}

func findRole(r state.Reader, name string) (*resource.Role, bool) {
	return state.Get[*resource.Role](r, name)
}

// mustRole finds the role or says so as AWS does.
func mustRole(r state.Reader, name *string) (*resource.Role, error) {
	role, ok := findRole(r, value(name, ""))
	if !ok {
		return nil, noSuch("The role with name %s cannot be found.", value(name, ""))
	}
	return role, nil
}

// roleByARN finds the role that has exactly this ARN, path included.
func roleByARN(r state.Reader, arn string) (*resource.Role, bool) {
	role, ok := findRole(r, arn[strings.LastIndexByte(arn, '/')+1:])
	return role, ok && role.ARN == arn
}

// mustPolicy finds the managed policy or says so as AWS does.
func mustPolicy(r state.Reader, arn *string) (*resource.Policy, error) {
	if err := checkPolicyARN(value(arn, "")); err != nil {
		return nil, err
	}
	p, ok := state.Get[*resource.Policy](r, value(arn, ""))
	if !ok {
		return nil, noSuch("Policy %s was not found.", value(arn, ""))
	}
	return p, nil
}

// mustOwn finds the managed policy and refuses AWS's own, which nobody may change.
func mustOwn(r state.Reader, arn *string) (*resource.Policy, error) {
	p, err := mustPolicy(r, arn)
	if err != nil {
		return nil, err
	}
	if p.AWSManaged {
		return nil, api.Errorf("AccessDenied", "Policy is outside your own account.").WithStatus(403)
	}
	return p, nil
}

func checkPolicyARN(arn string) error {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return api.Errorf("ValidationError", "Invalid ARN:  Could not be parsed!")
	}
	if parts[1] != "aws" || parts[2] != "iam" || parts[3] != "" || parts[4] == "" || !strings.HasPrefix(parts[5], "policy/") {
		return api.Errorf("InvalidInput", "ARN %s is not valid.", arn)
	}
	return nil
}

func noSuch(format string, args ...any) error {
	return api.Errorf("NoSuchEntity", format, args...).WithStatus(404)
}

func exists(format string, args ...any) error {
	return api.Errorf("EntityAlreadyExists", format, args...).WithStatus(409)
}

func conflict(text string) error { return api.Errorf("DeleteConflict", "%s", text).WithStatus(409) }

func limitExceeded(format string, args ...any) error {
	return api.Errorf("LimitExceeded", format, args...).WithStatus(409)
}
