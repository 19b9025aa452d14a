package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) modifyVPCEndpoint(tx *state.Tx, _ *api.Call, in *ModifyVpcEndpointInput) (*ModifyVpcEndpointOutput, error) {
	old, err := find[*resource.VPCEndpoint](tx, nounVPCEndpoint, "VpcEndpointId", in.VpcEndpointId)
	if err != nil {
		return nil, err
	}
	e := new(*old)
	if err := checkAddressTypes(in.IpAddressType, in.DnsOptions); err != nil {
		return nil, err
	}
	e.DNSRecordIPType = recordType(in.DnsOptions, e.DNSRecordIPType)
	if given(in.PolicyDocument) && ownServiceNamed(tx, e.ServiceName) != nil {
		return nil, noEndpointPolicy(e)
	}
	if err := modifyPolicy(e, in); err != nil {
		return nil, err
	}
	if e.Type == resource.EndpointTypeGateway {
		err = modifyGateway(tx, e, in)
	} else {
		err = modifyInterface(tx, e, in)
	}
	if err != nil {
		return nil, err
	}
	tx.Put(e)
	return &ModifyVpcEndpointOutput{Return: new(true)}, nil
}

func modifyPolicy(e *resource.VPCEndpoint, in *ModifyVpcEndpointInput) error {
	switch {
	case value(in.ResetPolicy) && given(in.PolicyDocument):
		return api.Errorf("InvalidParameterCombination", "The parameters ResetPolicy and PolicyDocument cannot be used together.")
	case value(in.ResetPolicy):
		e.PolicyDocument = defaultPolicy(e.Type)
	case given(in.PolicyDocument):
		if err := checkPolicy(*in.PolicyDocument); err != nil {
			return err
		}
		e.PolicyDocument = *in.PolicyDocument
	}
	return nil
}

func modifyGateway(tx *state.Tx, e *resource.VPCEndpoint, in *ModifyVpcEndpointInput) error {
	if len(in.AddSubnetIds)+len(in.RemoveSubnetIds)+len(in.SubnetConfigurations) > 0 {
		return api.Errorf("InvalidParameter", "Subnet IDs are only supported for Interface type VPC Endpoints.")
	}
	if len(in.AddSecurityGroupIds)+len(in.RemoveSecurityGroupIds) > 0 {
		return api.Errorf("InvalidParameter", "Security Groups are only supported for Interface type VPC Endpoints.")
	}
	if value(in.PrivateDnsEnabled) || in.DnsOptions != nil && value(in.DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint) {
		return api.Errorf("InvalidParameter", "Private DNS is only supported for Interface type VPC Endpoints.")
	}
	for _, id := range in.RemoveRouteTableIds {
		if _, err := vpcnet.Find[*resource.RouteTable](tx, nounRouteTable, id); err != nil {
			return err
		}
		if !slices.Contains(e.RouteTableIDs, resource.RouteTableID(id)) {
			return api.Errorf("InvalidParameter", "The route table %s is not associated with the VPC endpoint %s.", id, e.ID)
		}
	}
	e.RouteTableIDs = without(e.RouteTableIDs, in.RemoveRouteTableIds)
	tx.Put(new(*e)) // so that a table that is removed and added in one call is free
	return addRouteTables(tx, e, in.AddRouteTableIds)
}

func modifyInterface(tx *state.Tx, e *resource.VPCEndpoint, in *ModifyVpcEndpointInput) error {
	if len(in.AddRouteTableIds)+len(in.RemoveRouteTableIds) > 0 {
		return api.Errorf("InvalidParameter", "Route table IDs are only supported for Gateway type VPC Endpoint.")
	}
	if err := modifyGroups(tx, e, in); err != nil {
		return err
	}
	if err := modifySubnets(tx, e, in); err != nil {
		return err
	}
	return modifyPrivateDNS(tx, e, in)
}

// modifyGroups changes the endpoint's groups and those of its interfaces, which are the same.
func modifyGroups(tx *state.Tx, e *resource.VPCEndpoint, in *ModifyVpcEndpointInput) error {
	if len(in.AddSecurityGroupIds)+len(in.RemoveSecurityGroupIds) == 0 {
		return nil
	}
	for _, id := range in.RemoveSecurityGroupIds {
		if _, err := vpcnet.FindGroup(tx, id); err != nil {
			return err
		}
	}
	ids := append(stringsOf(without(e.GroupIDs, in.RemoveSecurityGroupIds)), in.AddSecurityGroupIds...)
	if len(ids) == 0 {
		return api.Errorf("InvalidParameter", "At least one security group must remain associated with the VPC endpoint %s.", e.ID)
	}
	groups, err := endpointGroups(tx, e.VPCID, ids)
	if err != nil {
		return err
	}
	e.GroupIDs = groups
	for _, id := range e.NetworkInterfaceIDs {
		if old, ok := state.Get[*resource.NetworkInterface](tx, id); ok {
			eni := *old
			eni.GroupIDs = groups
			tx.Put(&eni)
		}
	}
	return nil
}

func modifySubnets(tx *state.Tx, e *resource.VPCEndpoint, in *ModifyVpcEndpointInput) error {
	for _, id := range in.RemoveSubnetIds {
		at := slices.Index(e.SubnetIDs, resource.SubnetID(id))
		if at < 0 {
			if _, err := vpcnet.FindSubnet(tx, id); err != nil {
				return err
			}
			return api.Errorf("InvalidParameter", "The subnet %s is not associated with the VPC endpoint %s.", id, e.ID)
		}
		vpcnet.DeleteInterface(tx, e.NetworkInterfaceIDs[at])
		e.SubnetIDs = slices.Delete(slices.Clone(e.SubnetIDs), at, at+1)
		e.NetworkInterfaceIDs = slices.Delete(slices.Clone(e.NetworkInterfaceIDs), at, at+1)
	}
	var added []SubnetConfiguration
	for _, c := range in.SubnetConfigurations {
		if slices.Contains(e.SubnetIDs, resource.SubnetID(value(c.SubnetId))) {
			return unsupported("The address of an endpoint's interface cannot be changed in this region: remove the subnet and add it again.")
		}
		added = append(added, c)
	}
	return addSubnets(tx, e, in.AddSubnetIds, added)
}

func modifyPrivateDNS(tx *state.Tx, e *resource.VPCEndpoint, in *ModifyVpcEndpointInput) error {
	var inboundOnly *bool
	if in.DnsOptions != nil {
		inboundOnly = in.DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint
	}
	if in.PrivateDnsEnabled == nil && inboundOnly == nil {
		return nil
	}
	v, err := vpcnet.FindVPC(tx, string(e.VPCID))
	if err != nil {
		return err
	}
	service, err := findService(tx, &e.ServiceName)
	if err != nil {
		return err
	}
	want := privateDNS{enabled: e.PrivateDNSEnabled, inboundOnly: inboundOnly}
	if in.PrivateDnsEnabled != nil {
		want.enabled = *in.PrivateDnsEnabled
	}
	if inboundOnly == nil && e.PrivateDNSEnabled && want.enabled {
		want.inboundOnly = &e.PrivateDNSOnlyForInboundResolver // said again: nothing changes
	}
	return setPrivateDNS(tx, v, e, service, want)
}

func without[T ~string](have []T, removed []string) []T {
	return slices.DeleteFunc(slices.Clone(have), func(id T) bool { return slices.Contains(removed, string(id)) })
}
