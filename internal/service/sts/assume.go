package sts

import (
	"slices"
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
	maxPolicyARNs   = 10
	maxTags         = 50
)

func (s *Service) assumeRole(v *state.View, call *api.Call, in *AssumeRoleInput) (*AssumeRoleOutput, error) {
	if err := s.check(v, in); err != nil {
		return nil, err
	}
	session, err := s.newSession(call, in)
	if err != nil {
		return nil, err
	}
	role, err := s.mayAssume(v, call, in)
	if err != nil {
		return nil, err
	}
	if session.TTL, err = sessionDuration(call, role, in.DurationSeconds); err != nil {
		return nil, err
	}
	key, err := s.vault.MintSession(role, session)
	if err != nil {
		return nil, err
	}
	arn, id := sessionARN(v.Account(), role.Name, session.Name), role.ID+":"+session.Name
	out := &AssumeRoleOutput{AssumedRoleUser: &AssumedRoleUser{Arn: &arn, AssumedRoleId: &id}, Credentials: key.credentials()}
	if session.SourceIdentity != "" {
		out.SourceIdentity = &session.SourceIdentity
	}
	if in.Policy != nil {
		packed := int64(utf8.RuneCountInString(*in.Policy) * 100 / maxPolicy)
		out.PackedPolicySize = &packed
	}
	return out, nil
}

func (k *SessionKey) credentials() *Credentials {
	return &Credentials{AccessKeyId: &k.AccessKeyID, SecretAccessKey: &k.SecretAccessKey, SessionToken: &k.SessionToken, Expiration: &k.Expiration}
}

// mayAssume asks for the role, and where the request brings tags or a source identity, for the permission to.
func (s *Service) mayAssume(v *state.View, call *api.Call, in *AssumeRoleInput) (*resource.Role, error) {
	keys := map[string][]string{"sts:rolesessionname": {*in.RoleSessionName}}
	if in.ExternalId != nil {
		keys["sts:externalid"] = []string{*in.ExternalId}
	}
	if in.SourceIdentity != nil {
		keys["sts:sourceidentity"] = []string{*in.SourceIdentity}
	}
	for _, t := range in.Tags {
		keys["aws:requesttag/"+strings.ToLower(*t.Key)] = []string{*t.Value}
		keys["aws:tagkeys"] = append(keys["aws:tagkeys"], *t.Key)
	}
	if len(in.TransitiveTagKeys) > 0 {
		keys["sts:transitivetagkeys"] = in.TransitiveTagKeys
	}
	role, err := s.roles.CanAssume(v, call, *in.RoleArn, "sts:AssumeRole", keys)
	if err == nil && (len(in.Tags) > 0 || len(call.Caller.TransitiveTags) > 0) {
		_, err = s.roles.CanAssume(v, call, *in.RoleArn, "sts:TagSession", keys)
	}
	if err == nil && (in.SourceIdentity != nil || call.Caller.SourceIdentity != "") {
		_, err = s.roles.CanAssume(v, call, *in.RoleArn, "sts:SetSourceIdentity", keys)
	}
	return role, err
}

// newSession is the session that a request asks for: with its own tags, those that the caller's session hands on,
// and the caller's source identity, which nobody can change.
func (s *Service) newSession(call *api.Call, in *AssumeRoleInput) (Session, error) {
	session := Session{Name: *in.RoleSessionName, SourceIdentity: call.Caller.SourceIdentity, TransitiveTags: slices.Clone(call.Caller.TransitiveTags)}
	if in.SourceIdentity != nil {
		if session.SourceIdentity != "" && session.SourceIdentity != *in.SourceIdentity {
			return Session{}, api.Errorf("AccessDenied", "User: %s is not authorized to perform: sts:SetSourceIdentity on resource: %s",
				call.Caller.ARN, *in.RoleArn).WithStatus(403)
		}
		session.SourceIdentity = *in.SourceIdentity
	}
	if in.Policy != nil {
		session.Policy = *in.Policy
	}
	for _, p := range in.PolicyArns {
		session.PolicyARNs = append(session.PolicyARNs, *p.Arn)
	}
	session.Tags = map[string]string{}
	for _, key := range call.Caller.TransitiveTags {
		session.Tags[key] = call.Caller.SessionTags[key]
	}
	for _, t := range in.Tags {
		for _, handed := range call.Caller.TransitiveTags {
			if strings.EqualFold(handed, *t.Key) {
				return Session{}, api.Errorf("InvalidParameterValue",
					"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
			}
		}
		session.Tags[*t.Key] = *t.Value
	}
	if len(session.Tags) > maxTags {
		return Session{}, invalid("The session would have more than %d tags.", maxTags)
	}
	session.TransitiveTags = append(session.TransitiveTags, in.TransitiveTagKeys...)
	return session, nil
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
func (s *Service) check(r state.Reader, in *AssumeRoleInput) error {
	if !isRoleARN(*in.RoleArn) {
		return invalid("%s is invalid", *in.RoleArn)
	}
	if len(in.ProvidedContexts) > 0 {
		return api.Errorf("UnsupportedOperation", "The parameter ProvidedContexts is not supported.")
	}
	if err := checkTags(in); err != nil {
		return err
	}
	if len(in.PolicyArns) > maxPolicyARNs {
		return invalid("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxPolicyARNs)
	}
	for _, p := range in.PolicyArns {
		if p.Arn == nil {
			return invalid("1 validation error detected: Value null at 'policyArns' failed to satisfy constraint: Member must not be null")
		}
		if err := s.roles.CheckManagedPolicy(r, *p.Arn); err != nil {
			return err
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

func checkTags(in *AssumeRoleInput) error {
	keys := map[string]bool{}
	for _, t := range in.Tags {
		folded := strings.ToLower(*t.Key)
		if keys[folded] {
			return api.Errorf("InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if strings.HasPrefix(folded, "aws:") {
			return api.Errorf("InvalidParameterValue", "Tag keys that begin with aws: are reserved for AWS: %s", *t.Key)
		}
		keys[folded] = true
	}
	for _, key := range in.TransitiveTagKeys {
		if !keys[strings.ToLower(key)] {
			return api.Errorf("InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.")
		}
	}
	return nil
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
