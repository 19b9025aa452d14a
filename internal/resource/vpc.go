package resource

import (
	"net/netip"
	"slices"
)

// VPC is a virtual private cloud.
type VPC struct {
	ID                               VPCID
	CIDRs                            []VPCCIDR // IPv4; the first is the primary
	IPv6CIDRs                        []VPCCIDR // Amazon-provided /56 blocks; most VPCs have none or one
	DHCPOptionsID                    DHCPOptionsID
	InstanceTenancy                  string
	EnableDNSSupport                 bool
	EnableDNSHostnames               bool
	EnableNetworkAddressUsageMetrics bool
	IsDefault                        bool
	Tags                             Tags
}

// VPCCIDR is one block of a VPC.
type VPCCIDR struct {
	AssociationID string // vpc-cidr-assoc-
	Prefix        netip.Prefix
}

func (*VPC) Kind() Kind    { return KindVPC }
func (v *VPC) Key() string { return string(v.ID) }

// CIDR is the primary IPv4 block.
func (v *VPC) CIDR() netip.Prefix { return v.CIDRs[0].Prefix }

// Contains reports whether an address lies in any block of the VPC.
func (v *VPC) Contains(a netip.Addr) bool {
	holds := func(c VPCCIDR) bool { return c.Prefix.Contains(a) }
	return slices.ContainsFunc(v.CIDRs, holds) || slices.ContainsFunc(v.IPv6CIDRs, holds)
}

// DHCPOptions is a DHCP option set.
type DHCPOptions struct {
	ID      DHCPOptionsID
	Options map[string][]string // "domain-name" -> [...]
	Tags    Tags
}

func (*DHCPOptions) Kind() Kind    { return KindDHCPOptions }
func (d *DHCPOptions) Key() string { return string(d.ID) }

// Subnet is a range of a VPC's addresses in one availability zone.
type Subnet struct {
	ID                          SubnetID
	VPCID                       VPCID
	CIDR                        netip.Prefix
	IPv6CIDR                    netip.Prefix // a /64 out of one of the VPC's blocks; the zero value: none
	IPv6AssociationID           string       // subnet-cidr-assoc-; empty without IPv6CIDR
	AvailabilityZone            string       // us-west-2a
	AvailabilityZoneID          string       // usw2-az1
	MapPublicIPOnLaunch         bool
	AssignIPv6AddressOnCreation bool
	EnableDNS64                 bool
	HostnameType                string // ip-name or resource-name
	ResourceNameDNSARecord      bool
	ResourceNameDNSAAAARecord   bool
	DefaultForAZ                bool
	NetworkACLID                NetworkACLID
	NetworkACLAssociationID     string // aclassoc-
	Tags                        Tags
}

func (*Subnet) Kind() Kind    { return KindSubnet }
func (s *Subnet) Key() string { return string(s.ID) }
