package ec2

import (
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// operations is everything the service does, one line each: the name, the handler, and what a caller must be
// allowed to act on.
func (s *ec2) operations() []service.Operation {
	return withTagging(slices.Concat(
		s.vpcOperations(),
		s.subnetOperations(),
		s.defaultVPCOperations(),
		s.reservationOperations(),
		s.routeOperations(),
		s.securityGroupOperations(),
		s.groupUseOperations(),
		s.networkACLOperations(),
		s.gatewayOperations(),
		s.egressOnlyOperations(),
		s.subnetIPv6Operations(),
		s.ipv6AddressOperations(),
		s.interfaceOperations(),
		s.attachmentOperations(),
		s.endpointOperations(),
		s.endpointServiceOperations(),
		s.notificationOperations(),
		s.peeringOperations(),
		s.insightsOperations(),
		s.flowLogOperations(),
		s.prefixListOperations(),
		s.prefixListUseOperations(),
		s.regionOperations(),
		s.instanceOperations(),
		s.profileOperations(),
		s.keyPairOperations(),
	))
}

func (s *ec2) vpcOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateVpc", s.createVPC, on(func(in *CreateVpcInput) refs { return refs{made("vpc")} })),
		service.Update("DeleteVpc", s.deleteVPC, on(func(in *DeleteVpcInput) refs { return refs{vpcRef(in.VpcId)} })),
		service.View("DescribeVpcs", s.describeVPCs, service.OnAny()),
		service.View("DescribeVpcAttribute", s.describeVPCAttribute, on(func(in *DescribeVpcAttributeInput) refs { return refs{vpcRef(in.VpcId)} })),
		service.Update("ModifyVpcAttribute", s.modifyVPCAttribute, on(func(in *ModifyVpcAttributeInput) refs { return refs{vpcRef(in.VpcId)} })),
		service.Update("AssociateVpcCidrBlock", s.associateVPCCIDRBlock, on(func(in *AssociateVpcCidrBlockInput) refs { return refs{vpcRef(in.VpcId)} })),
		service.Update("DisassociateVpcCidrBlock", s.disassociateVPCCIDRBlock, onFound(func(r state.Reader, in *DisassociateVpcCidrBlockInput) refs {
			return refs{vpcOfBlock(r, in.AssociationId)}
		})),
		service.Update("CreateDhcpOptions", s.createDHCPOptions, on(func(in *CreateDhcpOptionsInput) refs { return refs{made("dhcp-options")} })),
		service.Update("DeleteDhcpOptions", s.deleteDHCPOptions, on(func(in *DeleteDhcpOptionsInput) refs { return refs{{"dhcp-options", in.DhcpOptionsId}} })),
		service.Update("AssociateDhcpOptions", s.associateDHCPOptions, on(func(in *AssociateDhcpOptionsInput) refs {
			return refs{{"dhcp-options", in.DhcpOptionsId}, vpcRef(in.VpcId)}
		})),
		service.View("DescribeDhcpOptions", s.describeDHCPOptions, service.OnAny()),
	}
}

func (s *ec2) subnetOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateSubnet", s.createSubnet, on(func(in *CreateSubnetInput) refs { return refs{made("subnet"), vpcRef(in.VpcId)} })),
		service.Update("DeleteSubnet", s.deleteSubnet, on(func(in *DeleteSubnetInput) refs { return refs{subnetRef(in.SubnetId)} })),
		service.View("DescribeSubnets", s.describeSubnets, service.OnAny()),
		service.Update("ModifySubnetAttribute", s.modifySubnetAttribute, on(func(in *ModifySubnetAttributeInput) refs { return refs{subnetRef(in.SubnetId)} })),
	}
}

func (s *ec2) routeOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateRouteTable", s.createRouteTable, on(func(in *CreateRouteTableInput) refs { return refs{made("route-table"), vpcRef(in.VpcId)} })),
		service.Update("DeleteRouteTable", s.deleteRouteTable, on(func(in *DeleteRouteTableInput) refs { return refs{tableRef(in.RouteTableId)} })),
		service.View("DescribeRouteTables", s.describeRouteTables, service.OnAny()),
		service.Update("AssociateRouteTable", s.associateRouteTable, on(func(in *AssociateRouteTableInput) refs {
			return refs{tableRef(in.RouteTableId), subnetRef(in.SubnetId)}
		})),
		service.Update("DisassociateRouteTable", s.disassociateRouteTable, onFound(func(r state.Reader, in *DisassociateRouteTableInput) refs {
			return tableAssociationRefs(r, in.AssociationId)
		})),
		service.Update("ReplaceRouteTableAssociation", s.replaceRouteTableAssociation, onFound(func(r state.Reader, in *ReplaceRouteTableAssociationInput) refs {
			return append(tableAssociationRefs(r, in.AssociationId), tableRef(in.RouteTableId))
		})),
		service.Update("CreateRoute", s.createRoute, on(func(in *CreateRouteInput) refs { return refs{tableRef(in.RouteTableId)} })),
		service.Update("ReplaceRoute", s.replaceRoute, on(func(in *ReplaceRouteInput) refs { return refs{tableRef(in.RouteTableId)} })),
		service.Update("DeleteRoute", s.deleteRoute, on(func(in *DeleteRouteInput) refs { return refs{tableRef(in.RouteTableId)} })),
	}
}

func (s *ec2) securityGroupOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateSecurityGroup", s.createSecurityGroup, on(func(in *CreateSecurityGroupInput) refs { return refs{made("security-group"), vpcRef(in.VpcId)} })),
		service.Update("DeleteSecurityGroup", s.deleteSecurityGroup, on(func(in *DeleteSecurityGroupInput) refs { return refs{groupRef(in.GroupId)} })),
		service.View("DescribeSecurityGroups", s.describeSecurityGroups, service.OnAny()),
		service.View("DescribeSecurityGroupRules", s.describeSecurityGroupRules, service.OnAny()),
		service.Update("AuthorizeSecurityGroupIngress", s.authorizeSecurityGroupIngress, on(func(in *AuthorizeSecurityGroupIngressInput) refs { return refs{groupRef(in.GroupId)} })),
		service.Update("AuthorizeSecurityGroupEgress", s.authorizeSecurityGroupEgress, on(func(in *AuthorizeSecurityGroupEgressInput) refs { return refs{groupRef(in.GroupId)} })),
		service.Update("RevokeSecurityGroupIngress", s.revokeSecurityGroupIngress, on(func(in *RevokeSecurityGroupIngressInput) refs { return refs{groupRef(in.GroupId)} })),
		service.Update("ModifySecurityGroupRules", s.modifySecurityGroupRules, on(func(in *ModifySecurityGroupRulesInput) refs { return refs{groupRef(in.GroupId)} })),
		service.Update("UpdateSecurityGroupRuleDescriptionsIngress", s.updateIngressDescriptions, on(func(in *UpdateSecurityGroupRuleDescriptionsIngressInput) refs { return refs{groupRef(in.GroupId)} })),
		service.Update("UpdateSecurityGroupRuleDescriptionsEgress", s.updateEgressDescriptions, on(func(in *UpdateSecurityGroupRuleDescriptionsEgressInput) refs { return refs{groupRef(in.GroupId)} })),
		service.Update("RevokeSecurityGroupEgress", s.revokeSecurityGroupEgress, on(func(in *RevokeSecurityGroupEgressInput) refs { return refs{groupRef(in.GroupId)} })),
	}
}

func (s *ec2) networkACLOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateNetworkAcl", s.createNetworkACL, on(func(in *CreateNetworkAclInput) refs { return refs{made("network-acl"), vpcRef(in.VpcId)} })),
		service.Update("DeleteNetworkAcl", s.deleteNetworkACL, on(func(in *DeleteNetworkAclInput) refs { return refs{aclRef(in.NetworkAclId)} })),
		service.View("DescribeNetworkAcls", s.describeNetworkACLs, service.OnAny()),
		service.Update("CreateNetworkAclEntry", s.createNetworkACLEntry, on(func(in *CreateNetworkAclEntryInput) refs { return refs{aclRef(in.NetworkAclId)} })),
		service.Update("ReplaceNetworkAclEntry", s.replaceNetworkACLEntry, on(func(in *ReplaceNetworkAclEntryInput) refs { return refs{aclRef(in.NetworkAclId)} })),
		service.Update("DeleteNetworkAclEntry", s.deleteNetworkACLEntry, on(func(in *DeleteNetworkAclEntryInput) refs { return refs{aclRef(in.NetworkAclId)} })),
		service.Update("ReplaceNetworkAclAssociation", s.replaceNetworkACLAssociation, onFound(func(r state.Reader, in *ReplaceNetworkAclAssociationInput) refs {
			return refs{aclRef(in.NetworkAclId), subnetOfACL(r, in.AssociationId)}
		})),
	}
}

func (s *ec2) gatewayOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateInternetGateway", s.createInternetGateway, on(func(in *CreateInternetGatewayInput) refs { return refs{made("internet-gateway")} })),
		service.Update("DeleteInternetGateway", s.deleteInternetGateway, on(func(in *DeleteInternetGatewayInput) refs { return refs{gatewayRef(in.InternetGatewayId)} })),
		service.Update("AttachInternetGateway", s.attachInternetGateway, on(func(in *AttachInternetGatewayInput) refs {
			return refs{gatewayRef(in.InternetGatewayId), vpcRef(in.VpcId)}
		})),
		service.Update("DetachInternetGateway", s.detachInternetGateway, on(func(in *DetachInternetGatewayInput) refs {
			return refs{gatewayRef(in.InternetGatewayId), vpcRef(in.VpcId)}
		})),
		service.View("DescribeInternetGateways", s.describeInternetGateways, service.OnAny()),
		service.Update("AllocateAddress", s.allocateAddress, on(func(in *AllocateAddressInput) refs { return refs{made("elastic-ip")} })),
		service.Update("ReleaseAddress", s.releaseAddress, onFound(func(r state.Reader, in *ReleaseAddressInput) refs {
			return refs{allocatedRef(r, in.AllocationId, in.PublicIp)}
		})),
		service.Update("AssociateAddress", s.associateAddress, onFound(func(r state.Reader, in *AssociateAddressInput) refs {
			return refs{allocatedRef(r, in.AllocationId, in.PublicIp), interfaceRef(in.NetworkInterfaceId)}
		})),
		service.Update("DisassociateAddress", s.disassociateAddress, onFound(func(r state.Reader, in *DisassociateAddressInput) refs { return refs{associatedRef(r, in)} })),
		service.View("DescribeAddresses", s.describeAddresses, service.OnAny()),
		service.View("DescribeAddressTransfers", s.describeAddressTransfers, service.OnAny()),
		service.View("DescribeAddressesAttribute", s.describeAddressesAttribute, service.OnAny()),
		service.Update("CreateNatGateway", s.createNATGateway, on(func(in *CreateNatGatewayInput) refs {
			return refs{made("natgateway"), subnetRef(in.SubnetId), addressRef(in.AllocationId)}
		})),
		service.Update("DeleteNatGateway", s.deleteNATGateway, on(func(in *DeleteNatGatewayInput) refs { return refs{{"natgateway", in.NatGatewayId}} })),
		service.View("DescribeNatGateways", s.describeNATGateways, service.OnAny()),
	}
}

func (s *ec2) interfaceOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateNetworkInterface", s.createNetworkInterface, on(func(in *CreateNetworkInterfaceInput) refs {
			return append(refs{made("network-interface"), subnetRef(in.SubnetId)}, many("security-group", in.Groups)...)
		})),
		service.Update("AssignPrivateIpAddresses", s.assignPrivateIPAddresses, on(func(in *AssignPrivateIpAddressesInput) refs { return refs{interfaceRef(in.NetworkInterfaceId)} })),
		service.Update("UnassignPrivateIpAddresses", s.unassignPrivateIPAddresses, on(func(in *UnassignPrivateIpAddressesInput) refs { return refs{interfaceRef(in.NetworkInterfaceId)} })),
		service.Update("DeleteNetworkInterface", s.deleteNetworkInterface, on(func(in *DeleteNetworkInterfaceInput) refs { return refs{interfaceRef(in.NetworkInterfaceId)} })),
		service.View("DescribeNetworkInterfaces", s.describeNetworkInterfaces, service.OnAny()),
		service.Update("ModifyNetworkInterfaceAttribute", s.modifyNetworkInterfaceAttribute, on(func(in *ModifyNetworkInterfaceAttributeInput) refs {
			return append(refs{interfaceRef(in.NetworkInterfaceId)}, many("security-group", in.Groups)...)
		})),
		service.Update("ResetNetworkInterfaceAttribute", s.resetNetworkInterfaceAttribute, on(func(in *ResetNetworkInterfaceAttributeInput) refs { return refs{interfaceRef(in.NetworkInterfaceId)} })),
		service.View("DescribeNetworkInterfaceAttribute", s.describeNetworkInterfaceAttribute, on(func(in *DescribeNetworkInterfaceAttributeInput) refs {
			return refs{interfaceRef(in.NetworkInterfaceId)}
		})),
	}
}

func (s *ec2) endpointOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateVpcEndpoint", s.createVPCEndpoint, on(func(in *CreateVpcEndpointInput) refs {
			return slices.Concat(refs{made("vpc-endpoint"), vpcRef(in.VpcId)}, many("subnet", in.SubnetIds),
				many("security-group", in.SecurityGroupIds), many("route-table", in.RouteTableIds))
		}), service.Conditions(func(_ state.Reader, in *CreateVpcEndpointInput, resource string) map[string][]string {
			if !strings.Contains(resource, ":vpc-endpoint/") {
				return nil
			}
			return map[string][]string{"ec2:vpceservicename": {value(in.ServiceName)}}
		})),
		service.Update("DeleteVpcEndpoints", s.deleteVPCEndpoints, on(func(in *DeleteVpcEndpointsInput) refs { return many("vpc-endpoint", in.VpcEndpointIds) })),
		service.View("DescribeVpcEndpoints", s.describeVPCEndpoints, service.OnAny()),
		service.Update("ModifyVpcEndpoint", s.modifyVPCEndpoint, on(func(in *ModifyVpcEndpointInput) refs {
			return slices.Concat(refs{{"vpc-endpoint", in.VpcEndpointId}},
				many("subnet", in.AddSubnetIds), many("subnet", in.RemoveSubnetIds),
				many("security-group", in.AddSecurityGroupIds), many("security-group", in.RemoveSecurityGroupIds),
				many("route-table", in.AddRouteTableIds), many("route-table", in.RemoveRouteTableIds))
		})),
		service.View("DescribeVpcEndpointServices", s.describeVPCEndpointServices, service.OnAny()),
	}
}

func (s *ec2) peeringOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateVpcPeeringConnection", s.createVPCPeeringConnection, on(func(in *CreateVpcPeeringConnectionInput) refs {
			return refs{made("vpc-peering-connection"), vpcRef(in.VpcId)}
		})),
		service.Update("AcceptVpcPeeringConnection", s.acceptVPCPeeringConnection, onFound(func(r state.Reader, in *AcceptVpcPeeringConnectionInput) refs {
			return refs{peeringRef(in.VpcPeeringConnectionId), accepterRef(r, in.VpcPeeringConnectionId)}
		})),
		service.Update("RejectVpcPeeringConnection", s.rejectVPCPeeringConnection, on(func(in *RejectVpcPeeringConnectionInput) refs { return refs{peeringRef(in.VpcPeeringConnectionId)} })),
		service.Update("DeleteVpcPeeringConnection", s.deleteVPCPeeringConnection, on(func(in *DeleteVpcPeeringConnectionInput) refs { return refs{peeringRef(in.VpcPeeringConnectionId)} })),
		service.View("DescribeVpcPeeringConnections", s.describeVPCPeeringConnections, service.OnAny()),
		service.Update("ModifyVpcPeeringConnectionOptions", s.modifyVPCPeeringConnectionOptions, on(func(in *ModifyVpcPeeringConnectionOptionsInput) refs {
			return refs{peeringRef(in.VpcPeeringConnectionId)}
		})),
	}
}

func (s *ec2) prefixListOperations() []service.Operation {
	return []service.Operation{
		service.View("DescribePrefixLists", s.describePrefixLists, service.OnAny()),
		service.View("DescribeManagedPrefixLists", s.describeManagedPrefixLists, service.OnAny()),
		service.View("GetManagedPrefixListEntries", s.getManagedPrefixListEntries, on(func(in *GetManagedPrefixListEntriesInput) refs { return refs{listRef(in.PrefixListId)} })),
		service.Update("CreateManagedPrefixList", s.createManagedPrefixList, on(func(in *CreateManagedPrefixListInput) refs { return refs{made("prefix-list")} })),
		service.Update("ModifyManagedPrefixList", s.modifyManagedPrefixList, on(func(in *ModifyManagedPrefixListInput) refs { return refs{listRef(in.PrefixListId)} })),
		service.Update("DeleteManagedPrefixList", s.deleteManagedPrefixList, on(func(in *DeleteManagedPrefixListInput) refs { return refs{listRef(in.PrefixListId)} })),
	}
}

func (s *ec2) regionOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateTags", s.createTags, on(func(in *CreateTagsInput) refs { return anyKind(in.Resources) })),
		service.Update("DeleteTags", s.deleteTags, on(func(in *DeleteTagsInput) refs { return anyKind(in.Resources) })),
		service.View("DescribeTags", s.describeTags, service.OnAny()),
		service.View("DescribeAvailabilityZones", s.describeAvailabilityZones, service.OnAny()),
		service.View("DescribeRegions", s.describeRegions, service.OnAny()),
		service.View("DescribeAccountAttributes", s.describeAccountAttributes, service.OnAny()),
	}
}
