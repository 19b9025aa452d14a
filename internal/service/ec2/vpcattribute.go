package ec2

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// The attributes of a VPC.
const (
	attributeDNSSupport   = "enableDnsSupport"
	attributeDNSHostnames = "enableDnsHostnames"
	attributeUsageMetrics = "enableNetworkAddressUsageMetrics"
)

func (s *ec2) describeVPCAttribute(v *state.View, _ *api.Call, in *DescribeVpcAttributeInput) (*DescribeVpcAttributeOutput, error) {
	vpc, err := find[*resource.VPC](v, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	out := &DescribeVpcAttributeOutput{VpcId: new(string(vpc.ID))}
	switch value(in.Attribute) {
	case "":
		return nil, missing("attribute")
	case attributeDNSSupport:
		out.EnableDnsSupport = &AttributeBooleanValue{Value: new(vpc.EnableDNSSupport)}
	case attributeDNSHostnames:
		out.EnableDnsHostnames = &AttributeBooleanValue{Value: new(vpc.EnableDNSHostnames)}
	case attributeUsageMetrics:
		out.EnableNetworkAddressUsageMetrics = &AttributeBooleanValue{Value: new(vpc.EnableNetworkAddressUsageMetrics)}
	default:
		return nil, invalidValue("attribute", *in.Attribute)
	}
	return out, nil
}

// modifyVPCAttribute changes one attribute. Turning DNS off below a private DNS name is allowed, as in AWS: the
// name just stops to resolve privately.
func (s *ec2) modifyVPCAttribute(tx *state.Tx, _ *api.Call, in *ModifyVpcAttributeInput) (*ModifyVpcAttributeOutput, error) {
	old, err := find[*resource.VPC](tx, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	v := *old
	changes := []struct {
		to *AttributeBooleanValue
		at *bool
	}{
		{in.EnableDnsSupport, &v.EnableDNSSupport},
		{in.EnableDnsHostnames, &v.EnableDNSHostnames},
		{in.EnableNetworkAddressUsageMetrics, &v.EnableNetworkAddressUsageMetrics},
	}
	set := 0
	for _, c := range changes {
		if c.to != nil && c.to.Value != nil {
			*c.at = *c.to.Value
			set++
		}
	}
	if err := oneAttribute(set); err != nil {
		return nil, err
	}
	tx.Put(&v)
	return &ModifyVpcAttributeOutput{}, nil
}

// oneAttribute refuses calls that change no attribute or several.
func oneAttribute(set int) error {
	switch set {
	case 0:
		return api.Errorf("InvalidParameterCombination", "No attributes specified.")
	case 1:
		return nil
	}
	return api.Errorf("InvalidParameterCombination", "Fields for multiple attribute types specified. Only one attribute can be modified at a time.")
}
