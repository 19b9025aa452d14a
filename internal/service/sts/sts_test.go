package sts

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const account = "000000000000"

var start = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

func demoRole() *resource.Role {
	return &resource.Role{
		Name: "demo", Path: "/app/", ARN: "arn:aws:iam::000000000000:role/app/demo", ID: "AROAEXAMPLE", MaxSessionDuration: 7200,
	}
}

// newVault makes a vault whose region has one role, nil: none.
func newVault(t *testing.T, key byte, role *resource.Role) *Vault {
	t.Helper()
	v, err := NewVault(VaultConfig{
		Key: bytes.Repeat([]byte{key}, KeySize), Account: account, Operator: AccessKey{"test", "test"},
		Role: func(name string) (*resource.Role, bool) { return role, role != nil && role.Name == name },
		Now:  func() time.Time { return start },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mint(t *testing.T, v *Vault, policy string) SessionKey {
	t.Helper()
	k, err := v.Mint(demoRole(), "s1", time.Hour, policy)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestASessionIsKnownByItsToken(t *testing.T) {
	v := newVault(t, 1, demoRole())
	k := mint(t, v, `{"a":"policy"}`)
	if !regexp.MustCompile(`^ASIA[A-Z2-7]{16}$`).MatchString(k.AccessKeyID) || len(k.SecretAccessKey) != 40 {
		t.Errorf("key %s, secret of %d characters", k.AccessKeyID, len(k.SecretAccessKey))
	}
	if want := start.Add(time.Hour).Truncate(time.Second); !k.Expiration.Equal(want) {
		t.Errorf("expires %s, want %s", k.Expiration, want)
	}
	got, err := v.Lookup(k.AccessKeyID, k.SessionToken, start)
	if err != nil {
		t.Fatal(err)
	}
	want := Credential{Secret: k.SecretAccessKey, Caller: api.Caller{
		Type: api.AssumedRole, Account: account, ARN: "arn:aws:sts::000000000000:assumed-role/demo/s1", RoleARN: demoRole().ARN,
		RoleName: "demo", SessionName: "s1", UserID: "AROAEXAMPLE:s1", AccessKeyID: k.AccessKeyID, SessionPolicy: `{"a":"policy"}`,
		IssuedAt: start.Truncate(time.Second),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("credential (-want +got):\n%s", diff)
	}
}

func TestKeysThatAreNoGood(t *testing.T) {
	v := newVault(t, 1, demoRole())
	k, other := mint(t, v, ""), mint(t, v, "")
	if k.AccessKeyID == other.AccessKeyID || k.SecretAccessKey == other.SecretAccessKey {
		t.Fatal("two sessions have the same key")
	}
	if newVault(t, 2, demoRole()).secret(k.AccessKeyID) == k.SecretAccessKey {
		t.Fatal("two regions make the same secret for a key")
	}
	again := demoRole()
	again.ID = "AROANOTHER"
	for _, c := range []struct {
		name, id, token string
		vault           *Vault
		at              time.Time
		want            error
	}{
		{"just in time", k.AccessKeyID, k.SessionToken, v, start.Add(time.Hour - time.Second), nil},
		{"after a restart", k.AccessKeyID, k.SessionToken, newVault(t, 1, demoRole()), start, nil},
		{"expired", k.AccessKeyID, k.SessionToken, v, start.Add(time.Hour), ErrExpiredToken},
		{"token of another key", k.AccessKeyID, other.SessionToken, v, start, ErrInvalidToken},
		{"without the token", k.AccessKeyID, "", v, start, ErrUnknownKey},
		{"no base64", k.AccessKeyID, "%%%", v, start, ErrInvalidToken},
		{"short", k.AccessKeyID, "AAAA", v, start, ErrInvalidToken},
		{"another region", k.AccessKeyID, k.SessionToken, newVault(t, 2, demoRole()), start, ErrInvalidToken},
		{"role deleted", k.AccessKeyID, k.SessionToken, newVault(t, 1, nil), start, ErrInvalidToken},
		{"role made anew", k.AccessKeyID, k.SessionToken, newVault(t, 1, again), start, ErrInvalidToken},
		{"unknown key", "AKIAIOSFODNN7EXAMPLE", "", v, start, ErrUnknownKey},
		{"no key", "", "", v, start, ErrUnknownKey},
		{"operator", "test", "", v, start, nil},
		{"operator with a token", "test", k.SessionToken, v, start, ErrInvalidToken},
	} {
		if _, err := c.vault.Lookup(c.id, c.token, c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestATokenCannotBeChanged(t *testing.T) {
	v := newVault(t, 1, demoRole())
	k := mint(t, v, "")
	sealed, err := base64.StdEncoding.DecodeString(k.SessionToken)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("demo")) {
		t.Error("the token shows what it says")
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := v.Lookup(k.AccessKeyID, base64.StdEncoding.EncodeToString(changed), start); !errors.Is(err, ErrInvalidToken) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

func TestAVaultNeedsAKey(t *testing.T) {
	if _, err := NewVault(VaultConfig{Key: []byte("short")}); err == nil {
		t.Error("a vault was made of a short key")
	}
}

// roles lets everybody assume the demo role and takes everything for a policy.
type roles struct {
	keys    map[string][]string
	actions []string
}

func (r *roles) CheckManagedPolicy(_ state.Reader, arn string) error {
	if !strings.HasPrefix(arn, "arn:") {
		return api.Errorf("NoSuchEntity", "no").WithStatus(404)
	}
	return nil
}

func (r *roles) CanAssume(_ state.Reader, call *api.Call, arn, action string, keys map[string][]string) (*resource.Role, error) {
	r.keys = keys
	r.actions = append(r.actions, action)
	if arn != demoRole().ARN {
		return nil, api.Errorf("AccessDenied", "no").WithStatus(403)
	}
	return demoRole(), nil
}

func (r *roles) CheckSessionPolicy(text string) error {
	if !strings.HasPrefix(text, "{") {
		return api.Errorf("MalformedPolicyDocument", "no")
	}
	return nil
}

func newService(t *testing.T) (*Service, *roles, *state.View) {
	t.Helper()
	store, err := state.Open(state.Config{Region: "us-west-2", Account: account})
	if err != nil {
		t.Fatal(err)
	}
	r := &roles{}
	return New(newVault(t, 1, demoRole()), r), r, store.View()
}

func p[T any](v T) *T { return &v }

func TestAssumeRole(t *testing.T) {
	s, r, view := newService(t)
	out, err := s.assumeRole(view, &api.Call{Caller: api.Caller{Type: api.Root}}, &AssumeRoleInput{
		RoleArn: p(demoRole().ARN), RoleSessionName: p("s1"), DurationSeconds: p(int64(7200)), ExternalId: p("42"),
		Policy: p("{" + strings.Repeat("x", 1023)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&AssumedRoleUser{Arn: p("arn:aws:sts::000000000000:assumed-role/demo/s1"), AssumedRoleId: p("AROAEXAMPLE:s1")}, out.AssumedRoleUser); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	if *out.PackedPolicySize != 50 {
		t.Errorf("packed policy size %d, want 50", *out.PackedPolicySize)
	}
	if diff := cmp.Diff(map[string][]string{"sts:externalid": {"42"}, "sts:rolesessionname": {"s1"}}, r.keys); diff != "" {
		t.Errorf("condition keys (-want +got):\n%s", diff)
	}
	c, err := s.vault.Lookup(*out.Credentials.AccessKeyId, *out.Credentials.SessionToken, start.Add(2*time.Hour-time.Second))
	if err != nil || c.Secret != *out.Credentials.SecretAccessKey || !strings.HasPrefix(c.Caller.SessionPolicy, "{x") {
		t.Errorf("lookup: %+v, %v", c, err)
	}
}

func TestAssumeRoleIsRefused(t *testing.T) {
	s, _, view := newService(t)
	root, chained := api.Caller{Type: api.Root}, api.Caller{Type: api.AssumedRole}
	tagged := api.Caller{
		Type: api.AssumedRole, ARN: "arn:x", SourceIdentity: "ann", TransitiveTags: []string{"team"}, SessionTags: map[string]string{"team": "net"},
	}
	in := func(change func(*AssumeRoleInput)) *AssumeRoleInput {
		in := &AssumeRoleInput{RoleArn: p(demoRole().ARN), RoleSessionName: p("s1")}
		change(in)
		return in
	}
	for _, c := range []struct {
		caller api.Caller
		change func(*AssumeRoleInput)
		want   string
	}{
		{root, func(in *AssumeRoleInput) { in.RoleArn = p("arn:aws:iam::123:role/demo") }, "ValidationError: arn:aws:iam::123:role/demo is invalid"},
		{root, func(in *AssumeRoleInput) { in.RoleArn = p("arn:aws:iam::000000000000:user/demo") }, "ValidationError: arn:aws:iam::000000000000:user/demo is invalid"},
		{root, func(in *AssumeRoleInput) { in.RoleArn = p("arn:aws:iam::000000000000:role/nobody") }, "AccessDenied: no"},
		{root, func(in *AssumeRoleInput) { in.DurationSeconds = p(int64(7201)) },
			"ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{chained, func(in *AssumeRoleInput) { in.DurationSeconds = p(int64(3601)) },
			"ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."},
		{root, func(in *AssumeRoleInput) { in.Policy = p("x") }, "MalformedPolicyDocument: no"},
		{root, func(in *AssumeRoleInput) { in.Policy = p("{" + strings.Repeat("x", maxPolicy)) },
			"ValidationError: 1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048"},
		{root, func(in *AssumeRoleInput) { in.Tags = []Tag{{p("a"), p("1")}, {p("A"), p("2")}} },
			"InvalidParameterValue: Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{root, func(in *AssumeRoleInput) { in.TransitiveTagKeys = []string{"a"} },
			"InvalidParameterValue: The specified transitive tag key must be included in the requested tags."},
		{root, func(in *AssumeRoleInput) { in.PolicyArns = []PolicyDescriptorType{{p("nonsense")}} }, "NoSuchEntity: no"},
		{tagged, func(in *AssumeRoleInput) { in.Tags = []Tag{{p("TEAM"), p("other")}} },
			"InvalidParameterValue: One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."},
		{tagged, func(in *AssumeRoleInput) { in.SourceIdentity = p("eve") },
			"AccessDenied: User: arn:x is not authorized to perform: sts:SetSourceIdentity on resource: arn:aws:iam::000000000000:role/app/demo"},
		{root, func(in *AssumeRoleInput) { in.ProvidedContexts = []ProvidedContext{{}} }, "UnsupportedOperation: The parameter ProvidedContexts is not supported."},
		{root, func(in *AssumeRoleInput) { in.TokenCode = p("123456") }, "AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code. "},
	} {
		out, err := s.assumeRole(view, &api.Call{Caller: c.caller}, in(c.change))
		if got := fmt.Sprint(err); out != nil || got != c.want {
			t.Errorf("got  %s, %v\nwant %s", got, out, c.want)
		}
	}
}

func TestGetCallerIdentity(t *testing.T) {
	s, _, view := newService(t)
	operator, err := s.vault.Lookup("test", "", start)
	if err != nil {
		t.Fatal(err)
	}
	k := mint(t, s.vault, "")
	session, err := s.vault.Lookup(k.AccessKeyID, k.SessionToken, start)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		caller  api.Caller
		arn, id string
	}{
		{operator.Caller, "arn:aws:iam::000000000000:root", account},
		{session.Caller, "arn:aws:sts::000000000000:assumed-role/demo/s1", "AROAEXAMPLE:s1"},
	} {
		got, err := s.getCallerIdentity(view, &api.Call{Caller: c.caller}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&GetCallerIdentityOutput{Account: p(account), Arn: &c.arn, UserId: &c.id}, got); diff != "" {
			t.Errorf("identity (-want +got):\n%s", diff)
		}
	}
}

func TestAUsersKeyIsGoodWhileItIsTheUsers(t *testing.T) {
	v := newVault(t, 1, nil)
	id, secret := v.NewUserKey()
	if !regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`).MatchString(id) || len(secret) != 40 {
		t.Errorf("key %s, secret of %d characters", id, len(secret))
	}
	if _, err := v.Lookup(id, "", start); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("nobody's key: %v", err)
	}
	v.config.User = func(key string) (*resource.User, bool) {
		return &resource.User{Name: "ann", ARN: "arn:aws:iam::000000000000:user/ann", ID: "AIDAX"}, key == id
	}
	c, err := v.Lookup(id, "", start)
	if err != nil || c.Secret != secret || c.Caller.Type != api.User || c.Caller.UserName != "ann" {
		t.Errorf("got %+v, %v", c.Caller, err)
	}
	if _, err := v.Lookup(id, "token", start); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("with a token: %v", err)
	}
}

func TestASessionHasTagsPoliciesAndASourceIdentityAndHandsThemOn(t *testing.T) {
	s, r, view := newService(t)
	arn := "arn:aws:iam::aws:policy/AWSDenyAll"
	out, err := s.assumeRole(view, &api.Call{Caller: api.Caller{Type: api.Root}}, &AssumeRoleInput{
		RoleArn: p(demoRole().ARN), RoleSessionName: p("s1"), PolicyArns: []PolicyDescriptorType{{&arn}}, SourceIdentity: p("ann"),
		Tags: []Tag{{p("team"), p("net")}, {p("stage"), p("test")}}, TransitiveTagKeys: []string{"team"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"}, r.actions); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	first, err := s.vault.Lookup(*out.Credentials.AccessKeyId, *out.Credentials.SessionToken, start)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"team": "net", "stage": "test"}
	if diff := cmp.Diff(want, first.Caller.SessionTags); diff != "" || first.Caller.SourceIdentity != "ann" || first.Caller.SessionPolicyARNs[0] != arn {
		t.Errorf("session %+v %s", first.Caller, diff)
	}
	out, err = s.assumeRole(view, &api.Call{Caller: first.Caller}, &AssumeRoleInput{RoleArn: p(demoRole().ARN), RoleSessionName: p("s2")})
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.vault.Lookup(*out.Credentials.AccessKeyId, *out.Credentials.SessionToken, start)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"team": "net"}, second.Caller.SessionTags); diff != "" || second.Caller.SourceIdentity != "ann" {
		t.Errorf("handed on: %+v %s", second.Caller, diff)
	}
}

func TestATokenIsAsGoodAsTheKeyBehindIt(t *testing.T) {
	s, _, view := newService(t)
	id, _ := s.vault.NewUserKey()
	active := true
	s.vault.config.User = func(key string) (*resource.User, bool) {
		return &resource.User{Name: "ann", ARN: "arn:aws:iam::000000000000:user/ann", ID: "AIDAX"}, active && key == id
	}
	ann := api.Caller{Type: api.User, UserName: "ann", AccessKeyID: id}
	out, err := s.getSessionToken(view, &api.Call{Caller: ann}, &GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(at time.Duration) (Credential, error) {
		return s.vault.Lookup(*out.Credentials.AccessKeyId, *out.Credentials.SessionToken, start.Add(at))
	}
	c, err := lookup(time.Hour)
	if err != nil || c.Secret != *out.Credentials.SecretAccessKey || c.Caller.UserName != "ann" || !c.Caller.Temporary {
		t.Errorf("got %+v, %v", c.Caller, err)
	}
	if _, err := lookup(12 * time.Hour); !errors.Is(err, ErrExpiredToken) {
		t.Errorf("after twelve hours: %v", err)
	}
	active = false
	if _, err := lookup(time.Hour); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("with the key inactive: %v", err)
	}
	for _, who := range []api.Caller{c.Caller, {Type: api.AssumedRole}} {
		if _, err := s.getSessionToken(view, &api.Call{Caller: who}, &GetSessionTokenInput{}); fmt.Sprint(err) != "AccessDenied: Cannot call GetSessionToken with session credentials" {
			t.Errorf("%s: %v", who.Type, err)
		}
	}
}

func TestAnAuthorizationMessageIsReadHereAlone(t *testing.T) {
	s, _, view := newService(t)
	message := s.vault.SealMessage([]byte(`{"allowed":false}`))
	out, err := s.decodeAuthorizationMessage(view, nil, &DecodeAuthorizationMessageInput{EncodedMessage: &message})
	if err != nil || *out.DecodedMessage != `{"allowed":false}` {
		t.Errorf("got %v, %v", out, err)
	}
	foreign := newVault(t, 2, nil).SealMessage([]byte("{}"))
	for _, bad := range []string{"", "x", message[1:], foreign} {
		if _, err := s.decodeAuthorizationMessage(view, nil, &DecodeAuthorizationMessageInput{EncodedMessage: &bad}); fmt.Sprint(err) != "InvalidAuthorizationMessageException: Message is not valid" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
