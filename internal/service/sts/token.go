package sts

import (
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/state"
)

const (
	defaultToken = 43200 // seconds of a user's session
	maxRootToken = 3600  // seconds of a session of the root, whatever was asked for
)

// getSessionToken gives a user or the root credentials that end. They may what the user may, but for IAM, which the
// front door refuses to who calls with them.
func (s *Service) getSessionToken(_ *state.View, call *api.Call, in *GetSessionTokenInput) (*GetSessionTokenOutput, error) {
	if in.SerialNumber != nil || in.TokenCode != nil {
		return nil, api.Errorf("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ").WithStatus(403)
	}
	if call.Caller.Type != api.User && call.Caller.Type != api.Root || call.Caller.Temporary {
		return nil, api.Errorf("AccessDenied", "Cannot call GetSessionToken with session credentials").WithStatus(403)
	}
	seconds := int64(defaultToken)
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	if call.Caller.Type == api.Root {
		seconds = min(seconds, maxRootToken)
	}
	key, err := s.vault.MintToken(call.Caller.AccessKeyID, time.Duration(seconds)*time.Second)
	if err != nil {
		return nil, err
	}
	return &GetSessionTokenOutput{Credentials: key.credentials()}, nil
}

// decodeAuthorizationMessage opens what EC2 put at the end of a refusal.
func (s *Service) decodeAuthorizationMessage(_ *state.View, _ *api.Call, in *DecodeAuthorizationMessageInput) (*DecodeAuthorizationMessageOutput, error) {
	text, ok := s.vault.OpenMessage(*in.EncodedMessage)
	if !ok {
		return nil, api.Errorf("InvalidAuthorizationMessageException", "Message is not valid")
	}
	decoded := string(text)
	return &DecodeAuthorizationMessageOutput{DecodedMessage: &decoded}, nil
}
