package ec2

import (
	"net/netip"
	"slices"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// How long a peering connection that came to its end can still be seen; see the peering guide, "VPC peering
// connection lifecycle".
const (
	keepRejected = 48 * time.Hour // and failed
	keepUnjoined = 2 * time.Hour
)

func (s *ec2) createVPCPeeringConnection(tx *state.Tx, _ *api.Call, in *CreateVpcPeeringConnectionInput) (*CreateVpcPeeringConnectionOutput, error) {
	forgetOldPeerings(tx)
	if err := refuseFarPeers(tx, in); err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, resource.KindVPCPeering)
	if err != nil {
		return nil, err
	}
	requester, err := find[*resource.VPC](tx, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	accepter, err := find[*resource.VPC](tx, vpcnet.VPC, "peerVpcId", in.PeerVpcId)
	if err != nil {
		return nil, err
	}
	if old := peeringBetween(tx, requester.ID, accepter.ID); old != nil {
		return nil, api.Errorf("VpcPeeringConnectionAlreadyExists", "The VPC peering connection %s already exists between %s and %s.", old.ID, requester.ID, accepter.ID)
	}
	p := &resource.VPCPeeringConnection{
		ID:         resource.PeeringID(tx.NewID("pcx")),
		Requester:  resource.PeeringSide{VPCID: requester.ID},
		Accepter:   resource.PeeringSide{VPCID: accepter.ID},
		State:      resource.PeeringPending,
		CreateTime: tx.Now(),
		Tags:       tags,
	}
	// AWS takes the request and fails it after.
	if overlap(requester, accepter) {
		p.State, p.EndTime = resource.PeeringFailed, tx.Now()
	}
	tx.Put(p)
	return &CreateVpcPeeringConnectionOutput{VpcPeeringConnection: new(peeringOutput(tx, p))}, nil
}

// refuseFarPeers refuses what is not in this region and account.
func refuseFarPeers(r state.Reader, in *CreateVpcPeeringConnectionInput) error {
	switch {
	case given(in.PeerOwnerId) && *in.PeerOwnerId != r.Account():
		return unsupported("Peering with VPCs of other accounts is not supported in this region: there is one account.")
	case given(in.PeerRegion) && *in.PeerRegion != r.Region():
		return unsupported("Peering with VPCs of other Regions is not supported in this region: there is no other.")
	}
	return nil
}

// overlap reports whether two VPCs have blocks in common. A VPC overlaps itself.
func overlap(a, b *resource.VPC) bool {
	return slices.ContainsFunc(a.CIDRs, func(x resource.VPCCIDR) bool {
		return slices.ContainsFunc(b.CIDRs, func(y resource.VPCCIDR) bool { return x.Prefix.Overlaps(y.Prefix) })
	})
}

func joins(p *resource.VPCPeeringConnection, vpc resource.VPCID) bool {
	_, _, ok := p.Side(vpc)
	return ok
}

// peeringBetween is the connection of two VPCs that is active or may become so, nil if there is none.
func peeringBetween(r state.Reader, a, b resource.VPCID) *resource.VPCPeeringConnection {
	for _, p := range state.List[*resource.VPCPeeringConnection](r) {
		if p.Alive() && joins(p, a) && joins(p, b) && a != b {
			return p
		}
	}
	return nil
}

// overlappingPeer is the VPC peered with one that has addresses of a block; empty if none has.
func overlappingPeer(r state.Reader, vpc resource.VPCID, block netip.Prefix) resource.VPCID {
	for _, p := range state.List[*resource.VPCPeeringConnection](r) {
		_, other, ok := p.Side(vpc)
		if !ok || !p.Alive() {
			continue
		}
		peer, ok := state.Get[*resource.VPC](r, other.VPCID)
		if ok && slices.ContainsFunc(peer.CIDRs, func(c resource.VPCCIDR) bool { return c.Prefix.Overlaps(block) }) {
			return peer.ID
		}
	}
	return ""
}

// transition takes a connection from one of some states to another.
func transition(tx *state.Tx, id *string, to string, from ...string) (*resource.VPCPeeringConnection, error) {
	forgetOldPeerings(tx)
	old, err := find[*resource.VPCPeeringConnection](tx, nounPeering, "vpcPeeringConnectionId", id)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(from, old.State) {
		return nil, api.Errorf("InvalidStateTransition", "Invalid state transition for %s, attempted to transition from %s to %s", old.ID, old.State, to)
	}
	p := *old
	p.State = to
	if !p.Alive() {
		p.EndTime = tx.Now()
	}
	tx.Put(&p)
	return &p, nil
}

func (s *ec2) acceptVPCPeeringConnection(tx *state.Tx, _ *api.Call, in *AcceptVpcPeeringConnectionInput) (*AcceptVpcPeeringConnectionOutput, error) {
	p, err := transition(tx, in.VpcPeeringConnectionId, resource.PeeringActive, resource.PeeringPending)
	if err != nil {
		return nil, err
	}
	for _, side := range []resource.PeeringSide{p.Requester, p.Accepter} {
		active := state.Select(tx, func(o *resource.VPCPeeringConnection) bool {
			return o.State == resource.PeeringActive && joins(o, side.VPCID)
		})
		if len(active) > tx.Quota(resource.QuotaPeerings) {
			return nil, api.Errorf("VpcPeeringConnectionsPerVpcLimitExceeded", "The VPC %s has the maximum number of active VPC peering connections: %d", side.VPCID, tx.Quota(resource.QuotaPeerings))
		}
	}
	return &AcceptVpcPeeringConnectionOutput{VpcPeeringConnection: new(peeringOutput(tx, p))}, nil
}

func (s *ec2) rejectVPCPeeringConnection(tx *state.Tx, _ *api.Call, in *RejectVpcPeeringConnectionInput) (*RejectVpcPeeringConnectionOutput, error) {
	if _, err := transition(tx, in.VpcPeeringConnectionId, resource.PeeringRejected, resource.PeeringPending); err != nil {
		return nil, err
	}
	return &RejectVpcPeeringConnectionOutput{Return: new(true)}, nil
}

func (s *ec2) deleteVPCPeeringConnection(tx *state.Tx, _ *api.Call, in *DeleteVpcPeeringConnectionInput) (*DeleteVpcPeeringConnectionOutput, error) {
	if _, err := transition(tx, in.VpcPeeringConnectionId, resource.PeeringDeleted, resource.PeeringPending, resource.PeeringActive); err != nil {
		return nil, err
	}
	return &DeleteVpcPeeringConnectionOutput{Return: new(true)}, nil
}

// forgetOldPeerings drops those that came to their end long ago.
func forgetOldPeerings(tx *state.Tx) {
	for _, p := range state.List[*resource.VPCPeeringConnection](tx) {
		keep := keepRejected
		if p.State == resource.PeeringDeleted {
			keep = keepUnjoined
		}
		if !p.Alive() && p.EndTime.Before(tx.Now().Add(-keep)) {
			tx.Delete(p)
		}
	}
}

func (s *ec2) modifyVPCPeeringConnectionOptions(tx *state.Tx, _ *api.Call, in *ModifyVpcPeeringConnectionOptionsInput) (*ModifyVpcPeeringConnectionOptionsOutput, error) {
	old, err := find[*resource.VPCPeeringConnection](tx, nounPeering, "vpcPeeringConnectionId", in.VpcPeeringConnectionId)
	if err != nil {
		return nil, err
	}
	if in.RequesterPeeringConnectionOptions == nil && in.AccepterPeeringConnectionOptions == nil {
		return nil, api.Errorf("MissingParameter", "The request must contain the parameter accepterPeeringConnectionOptions or requesterPeeringConnectionOptions")
	}
	if old.State != resource.PeeringActive {
		return nil, api.Errorf("OperationNotPermitted", "Peering %s is not active. Peering options can be added only to active peerings.", old.ID)
	}
	p := *old
	out := &ModifyVpcPeeringConnectionOptionsOutput{}
	if out.RequesterPeeringConnectionOptions, err = setPeeringOptions(&p.Requester, in.RequesterPeeringConnectionOptions); err != nil {
		return nil, err
	}
	if out.AccepterPeeringConnectionOptions, err = setPeeringOptions(&p.Accepter, in.AccepterPeeringConnectionOptions); err != nil {
		return nil, err
	}
	tx.Put(&p)
	return out, nil
}

// setPeeringOptions changes one side. The options about ClassicLink can only stay off: there is none.
func setPeeringOptions(side *resource.PeeringSide, in *PeeringConnectionOptionsRequest) (*PeeringConnectionOptions, error) {
	if in == nil {
		return nil, nil
	}
	if value(in.AllowEgressFromLocalClassicLinkToRemoteVpc) || value(in.AllowEgressFromLocalVpcToRemoteClassicLink) {
		return nil, unsupported("ClassicLink is not supported in this region.")
	}
	if in.AllowDnsResolutionFromRemoteVpc != nil {
		side.AllowDNSResolution = *in.AllowDnsResolutionFromRemoteVpc
	}
	return &PeeringConnectionOptions{
		AllowDnsResolutionFromRemoteVpc:            new(side.AllowDNSResolution),
		AllowEgressFromLocalClassicLinkToRemoteVpc: new(false),
		AllowEgressFromLocalVpcToRemoteClassicLink: new(false),
	}, nil
}

// peeringTarget finds the connection that a route is to lead to. It may still be pending: then the route is a black
// hole until it is accepted (peering guide, "Update your route tables").
func peeringTarget(r state.Reader, t *resource.RouteTable, id string) (resource.RouteTarget, error) {
	p, err := vpcnet.Find[*resource.VPCPeeringConnection](r, nounPeering, id)
	switch {
	case err != nil:
		return resource.RouteTarget{}, err
	case !joins(p, t.VPCID):
		return resource.RouteTarget{}, api.Errorf("InvalidParameterValue", "route table %s and VPC peering connection %s belong to different networks", t.ID, id)
	case p.State == resource.PeeringDeleted:
		return resource.RouteTarget{}, nounPeering.Missing(id)
	case !p.Alive():
		return resource.RouteTarget{}, api.Errorf("InvalidParameterValue", "The VPC peering connection %s is %s: no route can lead to it", id, p.State)
	}
	return resource.RouteTarget{PeeringID: p.ID}, nil
}

// accepterRef is the VPC that a connection leads to.
func accepterRef(r state.Reader, id *string) ref {
	if p, ok := state.Get[*resource.VPCPeeringConnection](r, value(id)); ok {
		return vpcRef(new(string(p.Accepter.VPCID)))
	}
	return made("vpc")
}
