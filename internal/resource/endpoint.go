package resource

import "time"

// The endpoint types.
const (
	EndpointTypeInterface = "Interface"
	EndpointTypeGateway   = "Gateway"
)

// VPCEndpoint is a private way from a VPC to a service.
type VPCEndpoint struct {
	ID                VPCEndpointID
	VPCID             VPCID
	Type              string // EndpointTypeInterface, EndpointTypeGateway
	ServiceName       string // com.amazonaws.us-west-2.s3
	State             string // pending, available, deleting, deleted, failed (wire form)
	PolicyDocument    string // JSON; the default is stored too
	PrivateDNSEnabled bool
	// PrivateDNSOnlyForInboundResolver keeps private names from queries made inside the VPC. S3 only.
	PrivateDNSOnlyForInboundResolver bool
	DNSRecordIPType                  string // ipv4, service-defined
	IPAddressType                    string // ipv4
	DNSSuffix                        string // eight characters shared by all names of the endpoint
	PrivateZoneID                    string // hosted zone of the private name
	SubnetIDs                        []SubnetID
	GroupIDs                         []SecurityGroupID
	NetworkInterfaceIDs              []NetworkInterfaceID // one for each of SubnetIDs, same order
	RouteTableIDs                    []RouteTableID
	CreationTime                     time.Time
	Tags                             Tags
}

func (*VPCEndpoint) Kind() Kind    { return KindVPCEndpoint }
func (e *VPCEndpoint) Key() string { return string(e.ID) }

// Idempotency remembers the answer given to a client token.
type Idempotency struct {
	Operation  string
	Token      string
	InputHash  string // hash of the input without the token
	ResourceID string
}

func (*Idempotency) Kind() Kind    { return KindIdempotency }
func (i *Idempotency) Key() string { return i.Operation + "/" + i.Token }
