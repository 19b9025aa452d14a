package ec2

import (
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// How AWS answers for ids of no use, by resource. The spelling is AWS's.
var (
	nounRouteTable      = vpcnet.Noun{Prefix: "rtb", Malformed: "InvalidRouteTableId.Malformed", NotFound: "InvalidRouteTableID.NotFound", Text: "The routeTable ID '%s' does not exist"}
	nounNetworkACL      = vpcnet.Noun{Prefix: "acl", Malformed: "InvalidNetworkAclId.Malformed", NotFound: "InvalidNetworkAclID.NotFound", Text: "The networkAcl ID '%s' does not exist"}
	nounInternetGateway = vpcnet.Noun{Prefix: "igw", Malformed: "InvalidInternetGatewayId.Malformed", NotFound: "InvalidInternetGatewayID.NotFound", Text: "The internetGateway ID '%s' does not exist"}
	nounNATGateway      = vpcnet.Noun{Prefix: "nat", Malformed: "NatGatewayMalformed", NotFound: "NatGatewayNotFound", Text: "The Nat Gateway %s was not found"}
	nounAddress         = vpcnet.Noun{Prefix: "eipalloc", Malformed: "InvalidElasticIpID.Malformed", NotFound: "InvalidAllocationID.NotFound", Text: "The allocation ID '%s' does not exist"}
	nounVPCEndpoint     = vpcnet.Noun{Prefix: "vpce", Malformed: "InvalidVpcEndpointId.Malformed", NotFound: "InvalidVpcEndpointId.NotFound", Text: "The Vpc Endpoint Id '%s' does not exist"}
	nounPrefixList      = vpcnet.Noun{Prefix: "pl", Malformed: "InvalidPrefixListId.Malformed", NotFound: "InvalidPrefixListID.NotFound", Text: "The prefix list ID '%s' does not exist"}
	nounDHCPOptions     = vpcnet.Noun{Prefix: "dopt", Malformed: "InvalidDhcpOptionsId.Malformed", NotFound: "InvalidDhcpOptionID.NotFound", Text: "The dhcpOption ID '%s' does not exist"}
	nounPeering         = vpcnet.Noun{Prefix: "pcx", Malformed: "InvalidVpcPeeringConnectionId.Malformed", NotFound: "InvalidVpcPeeringConnectionID.NotFound", Text: "The vpcPeeringConnection ID '%s' does not exist"}
	nounInstance        = vpcnet.Noun{Prefix: "i", Malformed: "InvalidInstanceID.Malformed", NotFound: "InvalidInstanceID.NotFound", Text: "The instance ID '%s' does not exist"}
	nounKeyPair         = vpcnet.Noun{Prefix: "key", Malformed: "InvalidKeyPair.Format", NotFound: "InvalidKeyPair.NotFound", Text: "The key pair '%s' does not exist"}
	nounVolume          = vpcnet.Noun{Prefix: "vol", Malformed: "InvalidParameterValue", NotFound: "InvalidVolume.NotFound", Text: "The volume '%s' does not exist."}
	nounRule            = vpcnet.Noun{Prefix: "sgr", Malformed: "InvalidSecurityGroupRuleId.Malformed", NotFound: "InvalidSecurityGroupRuleId.NotFound", Text: "The security group rule ID '%s' does not exist"}
)

// find looks up the resource that a required parameter names.
func find[T state.Resource](r state.Reader, n vpcnet.Noun, parameter string, id *string) (T, error) {
	if !given(id) {
		var zero T
		return zero, missing(parameter)
	}
	return vpcnet.Find[T](r, n, *id)
}

// named returns the resources that a Describe call names, or all of the kind if it names none. An id that names
// nothing fails the call.
func named[T state.Resource](r state.Reader, n vpcnet.Noun, ids []string) ([]T, error) {
	if len(ids) == 0 {
		return state.List[T](r), nil
	}
	var out []T
	for _, id := range idsOf[string](ids) {
		v, err := vpcnet.Find[T](r, n, id)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
