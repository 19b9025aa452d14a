package ec2

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// holders are the resources of a kind that mention an id, whatever the member: what the handlers look up member by
// member is found here by the text alone.
func holders[T state.Resource](v *state.View, id string) []T {
	return state.Select(v, func(t T) bool {
		b, err := json.Marshal(t)
		return t.Key() != id && err == nil && strings.Contains(string(b), `"`+id+`"`)
	})
}

func held[T state.Resource](v *state.View, id string, counts func(T) bool) bool {
	for _, t := range holders[T](v, id) {
		if counts(t) {
			return true
		}
	}
	return false
}

func every[T any](T) bool { return true }

// mayBeDeleted is AWS's rule for each kind; false, false: there is no such resource.
func mayBeDeleted(v *state.View, id string) (may, known bool) {
	if n, ok := state.Get[*resource.VPC](v, id); ok {
		return !held(v, id, every[*resource.Subnet]) && !held(v, id, every[*resource.InternetGateway]) && !held(v, id, every[*resource.VPCEndpoint]) &&
			!held(v, id, every[*resource.EgressOnlyGateway]) &&
			!held(v, id, (*resource.VPCPeeringConnection).Alive) &&
			!held(v, id, func(g *resource.SecurityGroup) bool { return g.VPCID == n.ID && g.Name != "default" }) &&
			!held(v, id, func(n *resource.NetworkACL) bool { return !n.IsDefault }) &&
			!held(v, id, func(t *resource.RouteTable) bool { return !t.Main() }), true
	}
	if has[*resource.Subnet](v, id) {
		return !held(v, id, every[*resource.NetworkInterface]), true
	}
	if t, ok := state.Get[*resource.RouteTable](v, id); ok {
		return len(t.Associations) == 0, true
	}
	if g, ok := state.Get[*resource.SecurityGroup](v, id); ok {
		return g.Name != "default" && !held(v, id, every[*resource.NetworkInterface]) && !held(v, id, every[*resource.VPCEndpoint]) &&
			!held(v, id, func(o *resource.SecurityGroup) bool { return o.VPCID == g.VPCID }), true
	}
	if n, ok := state.Get[*resource.NetworkACL](v, id); ok {
		return !n.IsDefault && !held(v, id, every[*resource.Subnet]), true
	}
	if g, ok := state.Get[*resource.InternetGateway](v, id); ok {
		return g.VPCID == "", true
	}
	if has[*resource.EgressOnlyGateway](v, id) {
		return true, true
	}
	if n, ok := state.Get[*resource.NetworkInterface](v, id); ok {
		return n.Attachment == nil && !n.RequesterManaged, true
	}
	if a, ok := state.Get[*resource.Address](v, id); ok {
		return a.AssociationID == "", true
	}
	if p, ok := state.Get[*resource.PrefixList](v, id); ok {
		return !p.AWSManaged && !held(v, id, every[*resource.SecurityGroup]) && !held(v, id, every[*resource.RouteTable]), true
	}
	if has[*resource.DHCPOptions](v, id) {
		return !held(v, id, every[*resource.VPC]), true
	}
	return false, false
}

// remove makes a call that deletes, and insists that it is refused exactly when AWS refuses it.
func remove[In, Out any](r *random, h func(*state.Tx, *api.Call, *In) (*Out, error), id *string, in In) {
	may, known := mayBeDeleted(r.store.View(), *id)
	_, err := try(r.world, h, in)
	if err != nil && api.AsError(err) == nil {
		r.t.Fatalf("%T: internal error: %v", in, err)
	}
	if known && may != (err == nil) || !known && err == nil {
		r.t.Fatalf("%T %s: got %v; AWS deletes it: %v", in, *id, err, may)
	}
	if _, still := mayBeDeleted(r.store.View(), *id); err == nil && still {
		r.t.Fatalf("%T %s: it is still there", in, *id)
	}
}

// moreCalls are those for what has a life of its own beside the network.
func (r *random) moreCalls() map[string]func() {
	return map[string]func(){
		"default vpc": func() { send(r, r.createDefaultVPC, CreateDefaultVpcInput{}) },
		"default subnet": func() {
			send(r, r.createDefaultSubnet, CreateDefaultSubnetInput{AvailabilityZone: r.pick("us-west-2a", "us-west-2d")})
		},
		"options": func() {
			send(r, r.createDHCPOptions, CreateDhcpOptionsInput{DhcpConfigurations: []NewDhcpConfiguration{{Key: new("domain-name-servers"), Values: []string{"AmazonProvidedDNS"}}}})
		},
		"associate options": func() {
			send(r, r.associateDHCPOptions, AssociateDhcpOptionsInput{VpcId: id[*resource.VPC](r), DhcpOptionsId: id[*resource.DHCPOptions](r)})
		},
		"delete options": func() {
			options := id[*resource.DHCPOptions](r)
			remove(r, r.deleteDHCPOptions, options, DeleteDhcpOptionsInput{DhcpOptionsId: options})
		},
		"more addresses": func() {
			send(r, r.assignPrivateIPAddresses, AssignPrivateIpAddressesInput{NetworkInterfaceId: id[*resource.NetworkInterface](r), PrivateIpAddresses: []string{*r.pick("10.0.0.5", "10.0.0.21", "10.0.0.22")}, AllowReassignment: r.flip()})
		},
		"fewer addresses": func() {
			send(r, r.unassignPrivateIPAddresses, UnassignPrivateIpAddressesInput{NetworkInterfaceId: id[*resource.NetworkInterface](r), PrivateIpAddresses: []string{*r.pick("10.0.0.5", "10.0.0.21", "10.0.0.22")}})
		},
		"drop block": func() { send(r, r.disassociateVPCCIDRBlock, DisassociateVpcCidrBlockInput{AssociationId: r.block()}) },
		"modify list": func() {
			send(r, r.modifyManagedPrefixList, ModifyManagedPrefixListInput{PrefixListId: id[*resource.PrefixList](r), CurrentVersion: new(int64(1)), AddEntries: []AddPrefixListEntry{{Cidr: new("192.0.2.0/24")}}})
		},
		"restore list": func() {
			send(r, r.restoreManagedPrefixListVersion, RestoreManagedPrefixListVersionInput{PrefixListId: id[*resource.PrefixList](r), CurrentVersion: new(int64(2)), PreviousVersion: new(int64(1))})
		},
		"acl entry": func() {
			send(r, r.createNetworkACLEntry, CreateNetworkAclEntryInput{NetworkAclId: id[*resource.NetworkACL](r), RuleNumber: new(int64(7)), Protocol: new("-1"), RuleAction: new("deny"), Egress: r.flip(), CidrBlock: new("0.0.0.0/0")})
		},
		"delete acl entry": func() {
			send(r, r.deleteNetworkACLEntry, DeleteNetworkAclEntryInput{NetworkAclId: id[*resource.NetworkACL](r), RuleNumber: new(int64(7)), Egress: r.flip()})
		},
		"replace route": func() {
			send(r, r.replaceRoute, ReplaceRouteInput{RouteTableId: id[*resource.RouteTable](r), DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: id[*resource.InternetGateway](r)})
		},
		"reject peer": func() {
			send(r, r.rejectVPCPeeringConnection, RejectVpcPeeringConnectionInput{VpcPeeringConnectionId: id[*resource.VPCPeeringConnection](r)})
		},
		"tag": func() {
			send(r, r.createTags, CreateTagsInput{Resources: []string{*id[*resource.Subnet](r)}, Tags: []Tag{{Key: new("k"), Value: new("v")}}})
		},
		"reserve": func() {
			send(r, r.createSubnetReservation, CreateSubnetCidrReservationInput{SubnetId: id[*resource.Subnet](r), Cidr: r.pick("10.0.0.4/31", "10.0.0.16/29"), ReservationType: new("explicit")})
		},
		"delete reservation": func() {
			send(r, r.deleteSubnetReservation, DeleteSubnetCidrReservationInput{SubnetCidrReservationId: id[*resource.SubnetReservation](r)})
		},
		"an hour later": func() { r.now = r.now.Add(keepDeleted + 1) },
	}
}

func (r *random) block() *string {
	ids := []string{""}
	for _, v := range state.List[*resource.VPC](r.store.View()) {
		for _, c := range slices.Concat(v.CIDRs, v.IPv6CIDRs) {
			ids = append(ids, c.AssociationID)
		}
	}
	return r.pick(ids...)
}
