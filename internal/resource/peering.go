package resource

import "time"

// The states of a peering connection, as on the wire.
const (
	PeeringPending  = "pending-acceptance"
	PeeringActive   = "active"
	PeeringRejected = "rejected"
	PeeringFailed   = "failed"
	PeeringDeleted  = "deleted"
)

// VPCPeeringConnection joins two VPCs, and nothing behind them. Traffic passes while it is active, where route
// tables of both lead to it.
type VPCPeeringConnection struct {
	ID         PeeringID
	Requester  PeeringSide
	Accepter   PeeringSide
	State      string
	CreateTime time.Time
	EndTime    time.Time // when it was rejected, failed or was deleted; zero before
	Tags       Tags
}

func (*VPCPeeringConnection) Kind() Kind    { return KindVPCPeering }
func (p *VPCPeeringConnection) Key() string { return string(p.ID) }

// PeeringSide is one of the two VPCs.
type PeeringSide struct {
	VPCID VPCID
	// AllowDNSResolution lets the other VPC resolve public host names of this one to private addresses.
	AllowDNSResolution bool
}

// Alive reports whether the connection is in force or may still be: then there is no other between its VPCs.
func (p *VPCPeeringConnection) Alive() bool {
	return p.State == PeeringPending || p.State == PeeringActive
}

// Side returns the side of a VPC and the other one; false if the VPC is not joined by the connection.
func (p *VPCPeeringConnection) Side(vpc VPCID) (own, other PeeringSide, ok bool) {
	switch vpc {
	case p.Requester.VPCID:
		return p.Requester, p.Accepter, true
	case p.Accepter.VPCID:
		return p.Accepter, p.Requester, true
	}
	return PeeringSide{}, PeeringSide{}, false
}
