package sts

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const (
	defaultDuration = 3600
	maxChained      = 3600 // seconds of a session that a session makes
	maxPolicy       = 2048 // characters
)

func (s *Service) assumeRole(v *state.View, call *api.Call, in *AssumeRoleInput) (*AssumeRoleOutput, error) {
	if err := s.check(in); err != nil {
		return nil, err
	}
	keys := map[string][]string{"sts:rolesessionname": {*in.RoleSessionName}}
	if in.ExternalId != nil {
		keys["sts:externalid"] = []string{*in.ExternalId}
	}
	role, err := s.roles.CanAssume(v, call, *in.RoleArn, keys)
	if err != nil {
		return nil, err
	}
	duration, err := sessionDuration(call, role, in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	sessionPolicy := ""
	if in.Policy != nil {
		sessionPolicy = *in.Policy
	}
	key, err := s.vault.Mint(role, *in.RoleSessionName, duration, sessionPolicy)
	if err != nil {
		return nil, err
	}
	arn, id := sessionARN(v.Account(), role.Name, *in.RoleSessionName), role.ID+":"+*in.RoleSessionName
	out := &AssumeRoleOutput{
		AssumedRoleUser: &AssumedRoleUser{Arn: &arn, AssumedRoleId: &id},
		Credentials: &Credentials{
			AccessKeyId: &key.AccessKeyID, SecretAccessKey: &key.SecretAccessKey, SessionToken: &key.SessionToken, Expiration: &key.Expiration,
		},
	}
	if in.Policy != nil {
		packed := int64(utf8.RuneCountInString(*in.Policy) * 100 / maxPolicy)
		out.PackedPolicySize = &packed
	}
	return out, nil
}

// isRoleARN reports whether an ARN may be that of a role, as far as one can see from it.
func isRoleARN(arn string) bool {
	rest, ok := strings.CutPrefix(arn, "arn:aws:iam::")
	account, role, _ := strings.Cut(rest, ":")
	name, isRole := strings.CutPrefix(role, "role/")
	return ok && isRole && name != "" && len(account) == 12 && strings.Trim(account, "0123456789") == ""
}

// check refuses what is wrong with the request itself. What would change what the session may do but is not
// served here is refused, never ignored.
func (s *Service) check(in *AssumeRoleInput) error {
	if !isRoleARN(*in.RoleArn) {
		return invalid("%s is invalid", *in.RoleArn)
	}
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"PolicyArns", len(in.PolicyArns) > 0}, {"Tags", len(in.Tags) > 0}, {"TransitiveTagKeys", len(in.TransitiveTagKeys) > 0},
		{"ProvidedContexts", len(in.ProvidedContexts) > 0}, {"SourceIdentity", in.SourceIdentity != nil},
	} {
		if p.given {
			return api.Errorf("UnsupportedOperation", "The parameter %s is not supported.", p.name)
		}
	}
	if in.SerialNumber != nil || in.TokenCode != nil {
		return api.Errorf("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ").WithStatus(403)
	}
	if in.Policy == nil {
		return nil
	}
	if utf8.RuneCountInString(*in.Policy) > maxPolicy {
		return invalid("1 validation error detected: Value at 'policy' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxPolicy)
	}
	return s.roles.CheckSessionPolicy(*in.Policy)
}

func invalid(format string, args ...any) error { return api.Errorf("ValidationError", format, args...) }

// sessionDuration is how long the session lasts.
func sessionDuration(call *api.Call, role *resource.Role, seconds *int64) (time.Duration, error) {
	n := int64(defaultDuration)
	if seconds != nil {
		n = *seconds
	}
	if n > int64(role.MaxSessionDuration) {
		return 0, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	if call.Caller.Type == api.AssumedRole && n > maxChained {
		return 0, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	return time.Duration(n) * time.Second, nil
}
