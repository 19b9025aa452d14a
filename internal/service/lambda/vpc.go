package lambda

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// checkVPCConfig checks what can be told without the state.
func checkVPCConfig(c *VpcConfig) error {
	if c == nil {
		return nil
	}
	if err := checkIDs(c.SubnetIds, "vpcConfig.subnetIds", "^subnet-[0-9a-z]*$"); err != nil {
		return err
	}
	if err := checkIDs(c.SecurityGroupIds, "vpcConfig.securityGroupIds", "^sg-[0-9a-zA-Z]*$"); err != nil {
		return err
	}
	if (len(c.SubnetIds) == 0) != (len(c.SecurityGroupIds) == 0) {
		return invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
	}
	return nil
}

func checkIDs(ids []string, member, pattern string) error {
	re := regexp.MustCompile(pattern)
	for _, id := range ids {
		if len(id) > 1024 || !re.MatchString(id) {
			return constraint(fmt.Sprint(ids), member, "Member must satisfy constraint: [Member must have length less than or equal to 1024, "+
				"Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: "+pattern+"]")
		}
	}
	return nil
}

// placeInVPC finds or makes a function's interfaces. An empty configuration takes the function out of its VPC.
func (s *Service) placeInVPC(tx *state.Tx, function, role string, c *VpcConfig) (*resource.FunctionVPCConfig, error) {
	if c == nil || len(c.SubnetIds) == 0 {
		return nil, nil
	}
	if err := s.checkInterfacePermissions(tx, role); err != nil {
		return nil, err
	}
	out := &resource.FunctionVPCConfig{IPv6AllowedForDualStack: value(c.Ipv6AllowedForDualStack)}
	for _, id := range c.SubnetIds {
		subnet, err := vpcnet.FindSubnet(tx, id)
		if err != nil {
			return nil, ec2Error("DescribeSubnets", err)
		}
		if out.VPCID != "" && subnet.VPCID != out.VPCID {
			return nil, invalid("Subnets are required to be in the same VPC.")
		}
		out.VPCID = subnet.VPCID
		if out.IPv6AllowedForDualStack && !subnet.IPv6CIDR.IsValid() {
			return nil, invalid("Ipv6AllowedForDualStack requires that every subnet has an IPv6 CIDR block: %s has none.", subnet.ID)
		}
		if !slices.Contains(out.SubnetIDs, subnet.ID) {
			out.SubnetIDs = append(out.SubnetIDs, subnet.ID)
		}
	}
	for _, id := range c.SecurityGroupIds {
		group, err := vpcnet.FindGroup(tx, id)
		if err != nil {
			return nil, ec2Error("DescribeSecurityGroups", err)
		}
		if group.VPCID != out.VPCID {
			return nil, invalid("Security Groups are required to be in the same VPC.")
		}
		if !slices.Contains(out.GroupIDs, group.ID) {
			out.GroupIDs = append(out.GroupIDs, group.ID)
		}
	}
	_, interfaces, err := vpcnet.LambdaInterfaces(tx, vpcnet.LambdaPlace{
		Function: function, SubnetIDs: out.SubnetIDs, GroupIDs: out.GroupIDs, DualStack: out.IPv6AllowedForDualStack,
	})
	if err != nil {
		return nil, ec2Error("CreateNetworkInterface", err)
	}
	for _, eni := range interfaces {
		out.NetworkInterfaceIDs = append(out.NetworkInterfaceIDs, eni.ID)
	}
	return out, nil
}

// checkInterfacePermissions makes sure that the role lets Lambda handle interfaces for it, as AWS does.
func (s *Service) checkInterfacePermissions(r state.Reader, role string) error {
	for _, action := range []string{"CreateNetworkInterface", "DescribeNetworkInterfaces", "DeleteNetworkInterface"} {
		if !s.config.Roles.Allows(r, role, "ec2:"+action) {
			return invalid("The provided execution role does not have permissions to call %s on EC2", action)
		}
	}
	return nil
}

// ec2Error wraps an error of EC2 in the words that Lambda has for it.
func ec2Error(call string, err error) error {
	var e *api.Error
	if !errors.As(err, &e) {
		return err
	}
	return invalid("Error occurred while %s. EC2 Error Code: %s. EC2 Error Message: %s", call, e.Code, e.Message)
}

// interfacesOf are the interfaces a function names.
func interfacesOf(f *resource.Function) []resource.NetworkInterfaceID {
	if f.VPCConfig == nil {
		return nil
	}
	return f.VPCConfig.NetworkInterfaceIDs
}
