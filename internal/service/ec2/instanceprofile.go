package ec2

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// findProfile finds the instance profile that a request names and returns its ARN.
func findProfile(r state.Reader, in *IamInstanceProfileSpecification) (string, error) {
	p, err := profileNamed(r, in)
	if err != nil {
		return "", err
	}
	if p.Role == "" {
		return "", api.Errorf("InvalidParameterValue", "IAM Instance Profile \"%s\" has no associated IAM Roles", p.ARN)
	}
	return p.ARN, nil
}

func profileNamed(r state.Reader, in *IamInstanceProfileSpecification) (*resource.InstanceProfile, error) {
	if given(in.Arn) && given(in.Name) {
		return nil, api.Errorf("InvalidParameterCombination", "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'")
	}
	if given(in.Arn) {
		if p, ok := profileByARN(r, *in.Arn); ok {
			return p, nil
		}
		return nil, api.Errorf("InvalidParameterValue", "Value (%s) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN", *in.Arn)
	}
	if p, ok := state.Get[*resource.InstanceProfile](r, value(in.Name)); ok {
		return p, nil
	}
	return nil, api.Errorf("InvalidParameterValue", "Value (%s) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name", value(in.Name))
}

func profileByARN(r state.Reader, arn string) (*resource.InstanceProfile, bool) {
	found := state.Select(r, func(p *resource.InstanceProfile) bool { return p.ARN == arn })
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

func profileOutput(r state.Reader, arn string) *IamInstanceProfile {
	out := &IamInstanceProfile{Arn: new(arn)}
	if p, ok := profileByARN(r, arn); ok {
		out.Id = new(p.ID)
	}
	return out
}

// passProfileRole is what a caller must be allowed who gives a role to an instance: to pass it. See the IAM guide,
// "Grant a user permissions to pass a role to an AWS service".
func passProfileRole(r state.Reader, in *RunInstancesInput) []service.Need {
	return passRole(r, in.IamInstanceProfile)
}

func passRole(r state.Reader, profile *IamInstanceProfileSpecification) []service.Need {
	if profile == nil {
		return nil
	}
	p, err := profileNamed(r, profile)
	if err != nil {
		return nil // the call fails
	}
	role, ok := state.Get[*resource.Role](r, p.Role)
	if !ok {
		return nil
	}
	return []service.Need{{Action: "iam:PassRole", Resource: role.ARN, Keys: map[string][]string{"iam:passedtoservice": {"ec2.amazonaws.com"}}}}
}

// runRefs are what a launch acts on.
func runRefs(r state.Reader, in *RunInstancesInput) refs {
	out := refs{made("instance"), made("volume")}
	add := func(subnet, eni *string, groups []string) {
		if given(subnet) {
			out = append(out, subnetRef(subnet))
		}
		if given(eni) {
			out = append(out, interfaceRef(eni))
		} else {
			out = append(out, made("network-interface"))
		}
		out = append(out, many("security-group", groups)...)
	}
	if len(in.NetworkInterfaces) == 0 {
		add(in.SubnetId, nil, in.SecurityGroupIds)
	}
	for _, n := range in.NetworkInterfaces {
		add(n.SubnetId, n.NetworkInterfaceId, n.Groups)
	}
	if given(in.KeyName) {
		out = append(out, ref{"key-pair", in.KeyName})
	}
	return out
}
