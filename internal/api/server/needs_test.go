package server

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

func TestACallNeedsAllItsPermissions(t *testing.T) {
	const vpc = "arn:aws:ec2:us-west-2:000000000000:vpc/*"
	create := func(tx *state.Tx, _ *api.Call, _ *createVpcInput) (*createVpcOutput, error) {
		return &createVpcOutput{VpcId: ptr(tx.NewID("vpc"))}, nil
	}
	needs := func(_ state.Reader, in *createVpcInput) []service.Need {
		if len(in.Tags) == 0 {
			return nil
		}
		return []service.Need{{Action: "ec2:CreateTags", Resource: vpc, Keys: map[string][]string{"ec2:createaction": {"CreateVpc"}}}}
	}
	var asked []Question
	f := newFixture(t, func(c *Config) {
		c.Services[0].Operations = []service.Operation{
			service.Update("CreateVpc", create, service.On(func(state.Reader, *createVpcInput) []string { return []string{vpc} }), service.Needs(needs)),
		}
		c.Authorizer = NewAuthorizer(func(_ state.Reader, call *api.Call, q Question) (policy.Decision, error) {
			asked = append(asked, q)
			return policy.Decision{Allowed: call.Caller.Type == api.Root || q.Action == "ec2:CreateVpc", Kind: "identity-based", Statement: -1}, nil
		})
	})
	tagged := form("Action", "CreateVpc", "CidrBlock", "x", "Tag.1.Key", "team", "Tag.1.Value", "net")
	f.want(t, form("Action", "CreateVpc", "CidrBlock", "x").as("ec2", roleKey), 200, "vpc-")
	f.want(t, tagged.as("ec2", roleKey), 403, "is not authorized to perform: ec2:CreateTags on resource: "+vpc+" because no identity-based policy allows the ec2:CreateTags action")
	if got, want := asked[len(asked)-1].Keys, map[string][]string{
		"aws:requesttag/team": {"net"}, "aws:tagkeys": {"team"}, "ec2:createaction": {"CreateVpc"},
	}; !cmp.Equal(got, want) {
		t.Errorf("keys = %v, want %v", got, want)
	}
	f.want(t, form("Action", "CreateVpc", "CidrBlock", "x", "DryRun", "true", "Tag.1.Key", "team").as("ec2", roleKey), 403, "UnauthorizedOperation")
	f.want(t, tagged, 200, "vpc-")
}
