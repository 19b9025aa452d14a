package sts

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Roles answers what the service has to know about roles.
type Roles interface {
	// CanAssume returns the role if the caller may take an action on it that is about assuming it, or what AWS says
	// if not. Keys are condition keys of the operation, lower case.
	CanAssume(r state.Reader, call *api.Call, roleARN, action string, keys map[string][]string) (*resource.Role, error)
	// CheckManagedPolicy refuses an ARN that is not that of a managed policy.
	CheckManagedPolicy(r state.Reader, arn string) error
	// CheckSessionPolicy refuses what is no policy.
	CheckSessionPolicy(text string) error
}

// Service serves STS.
type Service struct {
	vault *Vault
	roles Roles
}

// New makes the service.
func New(vault *Vault, roles Roles) *Service { return &Service{vault: vault, roles: roles} }

// Definition is the service as the front door knows it.
func (s *Service) Definition() service.Definition {
	return service.Definition{
		Name:      "sts",
		Protocol:  service.AWSQuery,
		Version:   "2011-06-15",
		Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		// There are no federated identities: nobody else is trusted to say who somebody is.
		Unsigned: []string{"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"},
		Operations: []service.Operation{
			service.View("GetCallerIdentity", s.getCallerIdentity, service.Public()),
			// The role's trust policy decides, and where it names the caller, the caller's own policies need not
			// allow it. So the handler asks, not the pipeline; the policy of an endpoint counts there as well.
			service.View("AssumeRole", s.assumeRole, service.Public()),
			service.View("GetSessionToken", s.getSessionToken, service.Public()),
			service.View("DecodeAuthorizationMessage", s.decodeAuthorizationMessage, service.OnAny()),
		},
	}
}

func (s *Service) getCallerIdentity(_ *state.View, call *api.Call, _ *GetCallerIdentityInput) (*GetCallerIdentityOutput, error) {
	return &GetCallerIdentityOutput{Account: &call.Caller.Account, Arn: &call.Caller.ARN, UserId: &call.Caller.UserID}, nil
}
