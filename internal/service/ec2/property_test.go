package ec2

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// random draws the parameters of calls: mostly ids of what there is, so that most calls mean something.
type random struct {
	*world
	t *rapid.T
}

func id[T state.Resource](r *random) *string {
	ids := []string{"", "vpc-0123456789abcdef0"}
	for _, t := range state.List[T](r.store.View()) {
		ids = append(ids, t.Key(), t.Key(), t.Key())
	}
	return new(rapid.SampledFrom(ids).Draw(r.t, "id"))
}

func (r *random) pick(of ...string) *string { return new(rapid.SampledFrom(of).Draw(r.t, "choice")) }
func (r *random) flip() *bool               { return new(rapid.Bool().Draw(r.t, "flag")) }

func (r *random) token() *string { return r.pick("", "", "", "one", "two") }

// some returns one id or none, as a list.
func (r *random) some(id *string) []string {
	if *id == "" {
		return nil
	}
	return []string{*id}
}

// send makes a call and insists that a failure is one that a caller may see.
func send[In, Out any](r *random, h func(*state.Tx, *api.Call, *In) (*Out, error), in In) {
	if _, err := try(r.world, h, in); err != nil && api.AsError(err) == nil {
		r.t.Fatalf("%T: internal error: %v", in, err)
	}
}

func (r *random) association() *string {
	ids := []string{""}
	for _, t := range state.List[*resource.RouteTable](r.store.View()) {
		for _, a := range t.Associations {
			ids = append(ids, a.ID)
		}
	}
	return r.pick(ids...)
}

func (r *random) aclAssociation() *string {
	ids := []string{""}
	for _, s := range state.List[*resource.Subnet](r.store.View()) {
		ids = append(ids, s.NetworkACLAssociationID)
	}
	return r.pick(ids...)
}

func (r *random) calls() map[string]func(*rapid.T) {
	calls := map[string]func(){
		"vpc": func() {
			send(r, r.createVPC, CreateVpcInput{CidrBlock: r.pick("10.0.0.0/16", "10.0.0.0/16", "10.1.0.0/16")})
		},
		"delete vpc": func() {
			x := id[*resource.VPC](r)
			remove(r, r.deleteVPC, x, DeleteVpcInput{VpcId: x})
		},
		"vpc attribute": func() {
			send(r, r.modifyVPCAttribute, ModifyVpcAttributeInput{VpcId: id[*resource.VPC](r), EnableDnsHostnames: &AttributeBooleanValue{Value: r.flip()}})
		},
		"subnet": func() {
			send(r, r.createSubnet, CreateSubnetInput{VpcId: id[*resource.VPC](r), CidrBlock: r.pick("10.0.0.0/28", "10.0.0.16/28", "10.0.0.0/27"), AvailabilityZone: r.pick("us-west-2a", "us-west-2b")})
		},
		"flow log": func() {
			for kind, of := range map[string]*string{"VPC": id[*resource.VPC](r), "Subnet": id[*resource.Subnet](r), "NetworkInterface": id[*resource.NetworkInterface](r)} {
				in := flowLogOf(of)
				in.ResourceType, in.ClientToken = &kind, r.token()
				send(r, r.createFlowLogs, in)
			}
		},
		"delete flow log": func() {
			send(r, r.deleteFlowLogs, DeleteFlowLogsInput{FlowLogIds: r.some(id[*resource.FlowLog](r))})
		},
		"delete subnet": func() {
			x := id[*resource.Subnet](r)
			remove(r, r.deleteSubnet, x, DeleteSubnetInput{SubnetId: x})
		},
		"table": func() {
			send(r, r.createRouteTable, CreateRouteTableInput{VpcId: id[*resource.VPC](r), ClientToken: r.token()})
		},
		"delete table": func() {
			x := id[*resource.RouteTable](r)
			remove(r, r.deleteRouteTable, x, DeleteRouteTableInput{RouteTableId: x})
		},
		"associate": func() {
			send(r, r.associateRouteTable, AssociateRouteTableInput{RouteTableId: id[*resource.RouteTable](r), SubnetId: id[*resource.Subnet](r)})
		},
		"disassociate": func() { send(r, r.disassociateRouteTable, DisassociateRouteTableInput{AssociationId: r.association()}) },
		"replace table": func() {
			send(r, r.replaceRouteTableAssociation, ReplaceRouteTableAssociationInput{AssociationId: r.association(), RouteTableId: id[*resource.RouteTable](r)})
		},
		"route to gateway": func() {
			send(r, r.createRoute, CreateRouteInput{RouteTableId: id[*resource.RouteTable](r), DestinationCidrBlock: r.pick("0.0.0.0/0", "10.0.0.0/28"), GatewayId: id[*resource.InternetGateway](r)})
		},
		"route to nat": func() {
			send(r, r.createRoute, CreateRouteInput{RouteTableId: id[*resource.RouteTable](r), DestinationCidrBlock: r.pick("0.0.0.0/0", "10.0.0.0/28"), NatGatewayId: id[*resource.NATGateway](r)})
		},
		"route by list": func() {
			send(r, r.createRoute, CreateRouteInput{RouteTableId: id[*resource.RouteTable](r), DestinationPrefixListId: id[*resource.PrefixList](r), NetworkInterfaceId: id[*resource.NetworkInterface](r)})
		},
		"delete route": func() {
			send(r, r.deleteRoute, DeleteRouteInput{RouteTableId: id[*resource.RouteTable](r), DestinationCidrBlock: new("0.0.0.0/0")})
		},
	}
	for name, call := range r.groupCalls() {
		calls[name] = call
	}
	for name, call := range r.gatewayCalls() {
		calls[name] = call
	}
	for name, call := range r.moreCalls() {
		calls[name] = call
	}
	for name, call := range r.instanceCalls() {
		calls[name] = call
	}
	for name, call := range r.ipv6Calls() {
		calls[name] = call
	}
	out := map[string]func(*rapid.T){}
	for name, call := range calls {
		out[name] = func(t *rapid.T) { r.t = t; call() }
	}
	return out
}

func (r *random) permission() []IpPermission {
	p := IpPermission{IpProtocol: new("-1")}
	if *r.flip() {
		p.UserIdGroupPairs = []UserIdGroupPair{{GroupId: id[*resource.SecurityGroup](r)}}
	} else {
		p.PrefixListIds = []PrefixListId{{PrefixListId: id[*resource.PrefixList](r)}}
	}
	return []IpPermission{p}
}

func (r *random) groupCalls() map[string]func() {
	return map[string]func(){
		"group": func() {
			send(r, r.createSecurityGroup, CreateSecurityGroupInput{VpcId: id[*resource.VPC](r), GroupName: r.pick("a", "b", "c"), Description: new("d")})
		},
		"delete group": func() {
			x := id[*resource.SecurityGroup](r)
			remove(r, r.deleteSecurityGroup, x, DeleteSecurityGroupInput{GroupId: x})
		},
		"authorize": func() {
			send(r, r.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: id[*resource.SecurityGroup](r), IpPermissions: r.permission()})
		},
		"revoke": func() {
			send(r, r.revokeSecurityGroupIngress, RevokeSecurityGroupIngressInput{GroupId: id[*resource.SecurityGroup](r), IpPermissions: r.permission()})
		},
		"acl": func() {
			send(r, r.createNetworkACL, CreateNetworkAclInput{VpcId: id[*resource.VPC](r), ClientToken: r.token()})
		},
		"delete acl": func() {
			x := id[*resource.NetworkACL](r)
			remove(r, r.deleteNetworkACL, x, DeleteNetworkAclInput{NetworkAclId: x})
		},
		"replace acl": func() {
			send(r, r.replaceNetworkACLAssociation, ReplaceNetworkAclAssociationInput{AssociationId: r.aclAssociation(), NetworkAclId: id[*resource.NetworkACL](r)})
		},
		"list": func() {
			send(r, r.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv4"), MaxEntries: new(int64(2)), PrefixListName: new("x")})
		},
		"delete list": func() {
			x := id[*resource.PrefixList](r)
			remove(r, r.deleteManagedPrefixList, x, DeleteManagedPrefixListInput{PrefixListId: x})
		},
	}
}

func (r *random) gatewayCalls() map[string]func() {
	return map[string]func(){
		"peer": func() {
			send(r, r.createVPCPeeringConnection, CreateVpcPeeringConnectionInput{VpcId: id[*resource.VPC](r), PeerVpcId: id[*resource.VPC](r)})
		},
		"accept peer": func() {
			send(r, r.acceptVPCPeeringConnection, AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: id[*resource.VPCPeeringConnection](r)})
		},
		"delete peer": func() {
			send(r, r.deleteVPCPeeringConnection, DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: id[*resource.VPCPeeringConnection](r)})
		},
		"add block": func() {
			send(r, r.associateVPCCIDRBlock, AssociateVpcCidrBlockInput{VpcId: id[*resource.VPC](r), CidrBlock: r.pick("10.1.0.0/20", "10.2.0.0/20")})
		},
		"route to peer": func() {
			send(r, r.createRoute, CreateRouteInput{RouteTableId: id[*resource.RouteTable](r), DestinationCidrBlock: r.pick("10.0.0.0/16", "10.1.0.0/16"), VpcPeeringConnectionId: id[*resource.VPCPeeringConnection](r)})
		},
		"gateway": func() { send(r, r.createInternetGateway, CreateInternetGatewayInput{}) },
		"attach": func() {
			send(r, r.attachInternetGateway, AttachInternetGatewayInput{InternetGatewayId: id[*resource.InternetGateway](r), VpcId: id[*resource.VPC](r)})
		},
		"detach": func() {
			send(r, r.detachInternetGateway, DetachInternetGatewayInput{InternetGatewayId: id[*resource.InternetGateway](r), VpcId: id[*resource.VPC](r)})
		},
		"delete gateway": func() {
			x := id[*resource.InternetGateway](r)
			remove(r, r.deleteInternetGateway, x, DeleteInternetGatewayInput{InternetGatewayId: x})
		},
		"address": func() { send(r, r.allocateAddress, AllocateAddressInput{}) },
		"release": func() {
			x := id[*resource.Address](r)
			remove(r, r.releaseAddress, x, ReleaseAddressInput{AllocationId: x})
		},
		"associate address": func() {
			send(r, r.associateAddress, AssociateAddressInput{AllocationId: id[*resource.Address](r), NetworkInterfaceId: id[*resource.NetworkInterface](r), AllowReassociation: r.flip()})
		},
		"disassociate address": func() {
			send(r, r.disassociateAddress, DisassociateAddressInput{PublicIp: r.pick("203.0.113.1", "203.0.113.2")})
		},
		"nat": func() {
			send(r, r.createNATGateway, CreateNatGatewayInput{SubnetId: id[*resource.Subnet](r), AllocationId: id[*resource.Address](r), ClientToken: r.token()})
		},
		"private nat": func() {
			send(r, r.createNATGateway, CreateNatGatewayInput{SubnetId: id[*resource.Subnet](r), ConnectivityType: new("private")})
		},
		"delete nat": func() { send(r, r.deleteNATGateway, DeleteNatGatewayInput{NatGatewayId: id[*resource.NATGateway](r)}) },
		"eni": func() {
			send(r, r.createNetworkInterface, CreateNetworkInterfaceInput{SubnetId: id[*resource.Subnet](r), Groups: r.some(id[*resource.SecurityGroup](r)), ClientToken: r.token()})
		},
		"delete eni": func() {
			x := id[*resource.NetworkInterface](r)
			remove(r, r.deleteNetworkInterface, x, DeleteNetworkInterfaceInput{NetworkInterfaceId: x})
		},
		"eni groups": func() {
			send(r, r.modifyNetworkInterfaceAttribute, ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: id[*resource.NetworkInterface](r), Groups: r.some(id[*resource.SecurityGroup](r))})
		},
		"gateway endpoint": func() {
			send(r, r.createVPCEndpoint, CreateVpcEndpointInput{VpcId: id[*resource.VPC](r), ServiceName: new(s3Service), RouteTableIds: r.some(id[*resource.RouteTable](r)), ClientToken: r.token()})
		},
		"interface endpoint": func() {
			send(r, r.createVPCEndpoint, CreateVpcEndpointInput{VpcId: id[*resource.VPC](r), VpcEndpointType: new("Interface"), ServiceName: new(s3Service), PrivateDnsEnabled: r.flip(), SubnetIds: r.some(id[*resource.Subnet](r)), SecurityGroupIds: r.some(id[*resource.SecurityGroup](r)), ClientToken: r.token()})
		},
		"modify endpoint": func() {
			send(r, r.modifyVPCEndpoint, ModifyVpcEndpointInput{VpcEndpointId: id[*resource.VPCEndpoint](r),
				AddSubnetIds: r.some(id[*resource.Subnet](r)), RemoveSubnetIds: r.some(id[*resource.Subnet](r)), AddSecurityGroupIds: r.some(id[*resource.SecurityGroup](r))})
		},
		"modify gateway endpoint": func() {
			send(r, r.modifyVPCEndpoint, ModifyVpcEndpointInput{VpcEndpointId: id[*resource.VPCEndpoint](r),
				AddRouteTableIds: r.some(id[*resource.RouteTable](r)), RemoveRouteTableIds: r.some(id[*resource.RouteTable](r))})
		},
		"delete endpoint": func() {
			send(r, r.deleteVPCEndpoints, DeleteVpcEndpointsInput{VpcEndpointIds: r.some(id[*resource.VPCEndpoint](r))})
		},
	}
}

func TestNoSequenceOfCallsLeavesADanglingReference(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := &random{world: newWorld(t), t: rt}
		// A small network to begin with, or most calls would have nothing to act on.
		vpc := r.vpc("10.0.0.0/16")
		r.eni(r.subnet(vpc, "10.0.0.16/28", "a"))
		r.gateway(vpc)
		r.address()
		r.routeTable(vpc)
		r.subnetIPv6(new(state.List[*resource.Subnet](r.store.View())[0].Key()), subnetOf(r.ipv6(vpc), 0))
		calls := r.calls()
		calls[""] = func(rt *rapid.T) {
			if found := findDangling(r.store.View()); len(found) > 0 {
				rt.Fatalf("dangling: %q", found)
			}
		}
		rt.Repeat(calls)
		if left := tearDown(r.world); len(left) > 0 {
			rt.Fatalf("after deleting everything there is left: %q", left)
		}
	})
}

// tearDown deletes everything in the order in which AWS allows it, and returns what is left. A wrong dependency
// would make a user's tools wait for ever.
func tearDown(w *world) []string {
	v := w.store.View
	terminateAll(w)
	for _, kind := range []string{resource.EndpointTypeInterface, resource.EndpointTypeGateway} {
		for _, e := range state.Select(v(), func(e *resource.VPCEndpoint) bool { return e.Type == kind }) {
			do(w, w.deleteVPCEndpoints, DeleteVpcEndpointsInput{VpcEndpointIds: []string{e.Key()}})
		}
	}
	for _, n := range state.Select(v(), func(n *resource.NATGateway) bool { return n.State == stateAvailable }) {
		do(w, w.deleteNATGateway, DeleteNatGatewayInput{NatGatewayId: new(n.Key())})
	}
	for _, n := range state.List[*resource.NetworkInterface](v()) {
		do(w, w.deleteNetworkInterface, DeleteNetworkInterfaceInput{NetworkInterfaceId: new(n.Key())})
	}
	for _, a := range state.List[*resource.Address](v()) {
		do(w, w.releaseAddress, ReleaseAddressInput{AllocationId: new(a.Key())})
	}
	for _, s := range state.List[*resource.Subnet](v()) {
		do(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: new(s.Key())})
	}
	for _, t := range state.Select(v(), func(t *resource.RouteTable) bool { return !t.Main() }) {
		do(w, w.deleteRouteTable, DeleteRouteTableInput{RouteTableId: new(t.Key())})
	}
	for _, n := range state.Select(v(), func(n *resource.NetworkACL) bool { return !n.IsDefault }) {
		do(w, w.deleteNetworkACL, DeleteNetworkAclInput{NetworkAclId: new(n.Key())})
	}
	for _, p := range state.Select(v(), (*resource.VPCPeeringConnection).Alive) {
		do(w, w.deleteVPCPeeringConnection, DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: new(p.Key())})
	}
	deleteGroups(w)
	for _, g := range state.List[*resource.EgressOnlyGateway](v()) {
		do(w, w.deleteEgressOnlyGateway, DeleteEgressOnlyInternetGatewayInput{EgressOnlyInternetGatewayId: new(g.Key())})
	}
	for _, g := range state.List[*resource.InternetGateway](v()) {
		if g.VPCID != "" {
			do(w, w.detachInternetGateway, DetachInternetGatewayInput{InternetGatewayId: new(g.Key()), VpcId: new(string(g.VPCID))})
		}
		do(w, w.deleteInternetGateway, DeleteInternetGatewayInput{InternetGatewayId: new(g.Key())})
	}
	for _, v := range state.List[*resource.VPC](v()) {
		do(w, w.deleteVPC, DeleteVpcInput{VpcId: new(v.Key())})
	}
	for _, d := range state.Select(v(), func(d *resource.DHCPOptions) bool { return d.ID != defaultDHCPOptionsID(v()) }) {
		do(w, w.deleteDHCPOptions, DeleteDhcpOptionsInput{DhcpOptionsId: new(d.Key())})
	}
	for _, p := range state.Select(v(), func(p *resource.PrefixList) bool { return !p.AWSManaged }) {
		do(w, w.deleteManagedPrefixList, DeleteManagedPrefixListInput{PrefixListId: new(p.Key())})
	}
	return remains(v())
}

// deleteGroups empties the groups first, because they may name each other.
func deleteGroups(w *world) {
	groups := state.Select(w.store.View(), func(g *resource.SecurityGroup) bool { return true })
	for _, g := range groups {
		var ids []string
		for _, r := range g.Rules {
			if !r.Egress {
				ids = append(ids, string(r.ID))
			}
		}
		if len(ids) > 0 {
			do(w, w.revokeSecurityGroupIngress, RevokeSecurityGroupIngressInput{GroupId: new(g.Key()), SecurityGroupRuleIds: ids})
		}
	}
	for _, g := range groups {
		if g.Name != "default" {
			do(w, w.deleteSecurityGroup, DeleteSecurityGroupInput{GroupId: new(g.Key())})
		}
	}
}

func remains(v *state.View) []string {
	return slices.Concat(
		keys[*resource.VPC](v), keys[*resource.Subnet](v), keys[*resource.RouteTable](v), keys[*resource.SecurityGroup](v),
		keys[*resource.NetworkACL](v), keys[*resource.InternetGateway](v), keys[*resource.EgressOnlyGateway](v), keys[*resource.NATGateway](v), keys[*resource.NetworkInterface](v),
		keys[*resource.Address](v), keys[*resource.VPCEndpoint](v), keys[*resource.SubnetReservation](v), keys[*resource.Idempotency](v),
	)
}

func keys[T state.Resource](v *state.View) []string {
	var out []string
	for _, r := range state.List[T](v) {
		out = append(out, fmt.Sprint(r.Kind(), " ", r.Key()))
	}
	return out
}
