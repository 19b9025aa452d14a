package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// CreateEgressOnly makes an egress-only internet gateway.
type CreateEgressOnly struct {
	VPC resource.VPCID
	ID  resource.EgressOnlyGatewayID // which stands for the new one's
}

// Remedy says it to people.
func (e CreateEgressOnly) Remedy() Remedy {
	return Remedy{
		Text: fmt.Sprintf("create an egress-only internet gateway for %s; it costs nothing by itself", e.VPC),
		CLI: strings.TrimPrefix(string(e.ID), "$") + fmt.Sprintf("=$(aws ec2 create-egress-only-internet-gateway --vpc-id %s"+
			" --query EgressOnlyInternetGateway.EgressOnlyInternetGatewayId --output text)", e.VPC),
		Terraform: block("aws_egress_only_internet_gateway", "vpc_"+strings.TrimPrefix(string(e.ID), newEgressOnlyPrefix), "vpc_id", string(e.VPC)),
	}
}

func (e CreateEgressOnly) try(d *draft) {
	v := d.vpc(e.VPC)
	v.EgressOnly = append(slices.Clone(v.EgressOnly), e.ID)
}

// AssignIPv6 gives an interface an IPv6 address, out of its subnet's block.
type AssignIPv6 struct {
	VPC     resource.VPCID
	ENI     resource.NetworkInterfaceID
	Address netip.Addr
}

// Remedy says it to people.
func (e AssignIPv6) Remedy() Remedy {
	return Remedy{
		Text:      fmt.Sprintf("give %s an IPv6 address", e.ENI),
		CLI:       fmt.Sprintf("aws ec2 assign-ipv6-addresses --network-interface-id %s --ipv6-addresses %s", e.ENI, e.Address),
		Terraform: within("aws_network_interface or aws_instance", e.ENI, fmt.Sprintf("ipv6_addresses = [%q]", e.Address)),
	}
}

func (e AssignIPv6) try(d *draft) {
	v, of := d.vpc(e.VPC), d.top.ENIs[e.ENI]
	if of == nil {
		return
	}
	d.eni(e.VPC, e.ENI, func(n *topology.ENI) { n.IPv6 = append(slices.Clone(n.IPv6), e.Address) })
	v.SecurityGroups = changed(v.SecurityGroups, func(g *topology.SecurityGroup) bool { return slices.Contains(of.GroupIDs, g.ID) }, func(g *topology.SecurityGroup) {
		g.Members = append(slices.Clone(g.Members), e.Address)
	})
	for _, far := range v.Peerings { // whose rules may name its groups
		peer := d.vpc(far.PeerVPCID)
		peer.PeerGroups = changed(peer.PeerGroups, func(g *topology.PeerGroup) bool { return slices.Contains(of.GroupIDs, g.ID) }, func(g *topology.PeerGroup) {
			g.Members = append(slices.Clone(g.Members), e.Address)
		})
	}
}

// internetRemedies6 lead to the internet by a gateway that is there, or by a new one that lets nobody in.
func internetRemedies6(why cause) []option {
	switch {
	case why.subnet.RouteTableID == "":
		return nil
	case len(why.vpc.EgressOnly) > 0:
		return do(routeOut(why, topology.TargetEgressOnly, string(why.vpc.EgressOnly[0])))
	case why.vpc.InternetGateway != "":
		return do(routeOut(why, topology.TargetInternetGateway, string(why.vpc.InternetGateway)))
	}
	id := resource.EgressOnlyGatewayID(newEgressOnlyPrefix + strings.TrimPrefix(string(why.vpc.ID), "vpc-"))
	e := routeOut(why, topology.TargetEgressOnly, string(id))
	e.note = ", a new egress-only internet gateway"
	return do(e)
}

// aroundEgressOnly is for what begins outside: it needs an internet gateway, there and back.
func aroundEgressOnly(why cause) []option {
	if !why.packet.reply {
		return do(AttachGateway{VPC: why.vpc.ID, Gateway: newGateway(why.vpc.ID)})
	}
	return answerToInternet(why)
}

// assignIPv6 is for who has no address to send from.
func assignIPv6(why cause) []option {
	s := why.vpc.Subnet(why.eni.SubnetID)
	switch {
	case why.eni.Type == resource.InterfaceTypeLambda:
		return advice(Remedy{
			Text:      "allow IPv6 in the function's VPC configuration; its subnets must have blocks of IPv6 addresses",
			Terraform: within("vpc_config of the aws_lambda_function", why.eni.ID, "ipv6_allowed_for_dual_stack = true"),
		})
	case s == nil || !s.IPv6CIDR.IsValid():
		return advice(Remedy{Text: fmt.Sprintf("give the subnet of %s a block of IPv6 addresses, and the interface one of them", why.eni.ID)})
	}
	a, ok := why.vpc.FreeAddress(s.IPv6CIDR)
	if !ok {
		return nil
	}
	return do(AssignIPv6{VPC: why.vpc.ID, ENI: why.eni.ID, Address: a})
}
