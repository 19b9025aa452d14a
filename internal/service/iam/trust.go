package iam

import (
	"strings"
	"unicode"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) updateAssumeRolePolicy(tx *state.Tx, _ *api.Call, in *UpdateAssumeRolePolicyInput) (*UpdateAssumeRolePolicyOutput, error) {
	err := changeRole(tx, in.RoleName, func(r *resource.Role) error {
		if err := checkTrust(tx, *in.PolicyDocument); err != nil {
			return err
		}
		r.AssumeRolePolicyDocument = *in.PolicyDocument
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &UpdateAssumeRolePolicyOutput{}, nil
}

// checkTrust refuses what IAM refuses as a trust policy: bad grammar, too long, or a principal of this account
// that does not exist.
func checkTrust(r state.Reader, text string) error {
	d, err := policy.Parse("trust policy", policy.Trust, []byte(text))
	if err != nil {
		return malformed(err)
	}
	if size(text) > maxTrustPolicy {
		return limitExceeded("Cannot exceed quota for ACLSizePerRole: %d", maxTrustPolicy)
	}
	for i := range d.Statements {
		for _, p := range d.Statements[i].Principals() {
			if !principalExists(r, p) {
				return malformedText(`Invalid principal in policy: "AWS":"` + p + `"`)
			}
		}
	}
	return nil
}

// principalExists reports whether a user or role that a policy names exists, as far as it can be known: those of
// other accounts are taken on trust.
func principalExists(r state.Reader, principal string) bool {
	own, ok := strings.CutPrefix(principal, "arn:aws:iam::"+r.Account()+":")
	if !ok || own == "root" {
		return true
	}
	if name, isUser := strings.CutPrefix(own, "user/"); isUser {
		u, found := findUser(r, name[strings.LastIndexByte(name, '/')+1:])
		return found && u.ARN == principal
	}
	_, found := roleByARN(r, principal)
	return found
}

// checkPolicy refuses what IAM refuses as an identity policy. The size is for the caller to look at.
func checkPolicy(text string) error {
	if _, err := policy.Parse("policy", policy.Identity, []byte(text)); err != nil {
		return malformed(err)
	}
	return nil
}

func malformed(err error) error { return malformedText(err.Error()) }

func malformedText(text string) error { return api.Errorf("MalformedPolicyDocument", "%s", text) }

// size is a document's length as quotas count it: without white space.
func size(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}
