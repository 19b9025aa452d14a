package ec2

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) describeVPCPeeringConnections(v *state.View, _ *api.Call, in *DescribeVpcPeeringConnectionsInput) (*DescribeVpcPeeringConnectionsOutput, error) {
	found, err := named[*resource.VPCPeeringConnection](v, nounPeering, in.VpcPeeringConnectionIds)
	if err != nil {
		return nil, err
	}
	var all []VpcPeeringConnection
	for _, p := range found {
		all = append(all, peeringOutput(v, p))
	}
	page, next, err := peeringListing().answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: page, NextToken: next}, nil
}

func peeringListing() listing[VpcPeeringConnection] {
	f := fields[VpcPeeringConnection]{
		"expiration-time":           none[VpcPeeringConnection], // requests do not expire here
		"status-code":               func(p VpcPeeringConnection) []string { return text(p.Status.Code) },
		"status-message":            func(p VpcPeeringConnection) []string { return text(p.Status.Message) },
		"vpc-peering-connection-id": func(p VpcPeeringConnection) []string { return text(p.VpcPeeringConnectionId) },
	}
	for name, side := range map[string]func(VpcPeeringConnection) *VpcPeeringConnectionVpcInfo{
		"requester-vpc-info": func(p VpcPeeringConnection) *VpcPeeringConnectionVpcInfo { return p.RequesterVpcInfo },
		"accepter-vpc-info":  func(p VpcPeeringConnection) *VpcPeeringConnectionVpcInfo { return p.AccepterVpcInfo },
	} {
		f[name+".cidr-block"] = func(p VpcPeeringConnection) []string { return text(side(p).CidrBlock) }
		f[name+".owner-id"] = func(p VpcPeeringConnection) []string { return text(side(p).OwnerId) }
		f[name+".vpc-id"] = func(p VpcPeeringConnection) []string { return text(side(p).VpcId) }
	}
	return listing[VpcPeeringConnection]{
		key:    func(p VpcPeeringConnection) string { return *p.VpcPeeringConnectionId },
		tags:   func(p VpcPeeringConnection) []Tag { return p.Tags },
		fields: f,
	}
}

func peeringOutput(r state.Reader, p *resource.VPCPeeringConnection) VpcPeeringConnection {
	return VpcPeeringConnection{
		RequesterVpcInfo:       sideOutput(r, p, p.Requester),
		AccepterVpcInfo:        sideOutput(r, p, p.Accepter),
		Status:                 &VpcPeeringConnectionStateReason{Code: new(p.State), Message: new(peeringMessage(r, p))},
		Tags:                   tagSet(p.Tags),
		VpcPeeringConnectionId: new(string(p.ID)),
	}
}

func peeringMessage(r state.Reader, p *resource.VPCPeeringConnection) string {
	switch p.State {
	case resource.PeeringPending:
		return "Pending Acceptance by " + r.Account()
	case resource.PeeringActive:
		return "Active"
	case resource.PeeringRejected:
		return "Rejected by " + r.Account()
	case resource.PeeringDeleted:
		return "Deleted by " + r.Account()
	default:
		return "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
	}
}

// sideOutput is one of the VPCs. The options are said of an active connection only; the accepter's blocks are
// known once it has accepted.
func sideOutput(r state.Reader, p *resource.VPCPeeringConnection, s resource.PeeringSide) *VpcPeeringConnectionVpcInfo {
	out := &VpcPeeringConnectionVpcInfo{OwnerId: new(r.Account()), Region: new(r.Region()), VpcId: new(string(s.VPCID))}
	vpc, ok := state.Get[*resource.VPC](r, s.VPCID)
	if ok && (s == p.Requester || p.State == resource.PeeringActive) {
		out.CidrBlock = new(vpc.CIDR().String())
		for _, c := range vpc.CIDRs {
			out.CidrBlockSet = append(out.CidrBlockSet, CidrBlock{CidrBlock: new(c.Prefix.String())})
		}
		for _, c := range vpc.IPv6CIDRs {
			out.Ipv6CidrBlockSet = append(out.Ipv6CidrBlockSet, Ipv6CidrBlock{Ipv6CidrBlock: new(c.Prefix.String())})
		}
	}
	if p.State == resource.PeeringActive {
		out.PeeringOptions = &VpcPeeringConnectionOptionsDescription{
			AllowDnsResolutionFromRemoteVpc:            new(s.AllowDNSResolution),
			AllowEgressFromLocalClassicLinkToRemoteVpc: new(false),
			AllowEgressFromLocalVpcToRemoteClassicLink: new(false),
		}
	}
	return out
}

// peerStatus is what rules that name a group of another VPC say of the connection: its last, which may be gone.
func peerStatus(r state.Reader, g *resource.SecurityGroup, rule resource.SecurityGroupRule) (id *string, status string) {
	status = resource.PeeringDeleted
	for _, p := range state.List[*resource.VPCPeeringConnection](r) {
		if !joins(p, g.VPCID) || !joins(p, rule.GroupVPCID) {
			continue
		}
		if id == nil || p.State == resource.PeeringActive {
			id, status = new(string(p.ID)), p.State
		}
	}
	return id, status
}

func groupPair(r state.Reader, g *resource.SecurityGroup, rule resource.SecurityGroupRule, description *string) UserIdGroupPair {
	out := UserIdGroupPair{Description: description, GroupId: new(string(rule.GroupID)), UserId: new(r.Account())}
	if rule.GroupVPCID != "" {
		id, status := peerStatus(r, g, rule)
		out.VpcId, out.VpcPeeringConnectionId, out.PeeringStatus = new(string(rule.GroupVPCID)), id, &status
	}
	return out
}

func referencedInfo(r state.Reader, g *resource.SecurityGroup, rule resource.SecurityGroupRule) *ReferencedSecurityGroup {
	p := groupPair(r, g, rule, nil)
	return &ReferencedSecurityGroup{
		GroupId: p.GroupId, UserId: p.UserId, VpcId: p.VpcId, VpcPeeringConnectionId: p.VpcPeeringConnectionId, PeeringStatus: p.PeeringStatus,
	}
}

// refuseStale refuses new rules for groups that are not there, or not within reach. Only old ones may name such.
func refuseStale(r state.Reader, g *resource.SecurityGroup, rules []resource.SecurityGroupRule) error {
	for _, rule := range rules {
		if rule.GroupVPCID == "" {
			continue
		}
		if _, ok := state.Get[*resource.SecurityGroup](r, rule.GroupID); !ok {
			return api.Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist", rule.GroupID)
		}
		if p := peeringBetween(r, g.VPCID, rule.GroupVPCID); p == nil || p.State != resource.PeeringActive {
			return api.Errorf("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
		}
	}
	return nil
}
