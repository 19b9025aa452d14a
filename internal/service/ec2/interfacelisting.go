package ec2

import (
	"net/netip"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) describeNetworkInterfaces(v *state.View, _ *api.Call, in *DescribeNetworkInterfacesInput) (*DescribeNetworkInterfacesOutput, error) {
	found, err := named[*resource.NetworkInterface](v, vpcnet.ENI, in.NetworkInterfaceIds)
	if err != nil {
		return nil, err
	}
	if len(in.NetworkInterfaceIds) > 0 && in.MaxResults != nil {
		return nil, api.Errorf("InvalidParameterCombination", "The parameter networkInterfaceIds cannot be used with the parameter maxResults")
	}
	page, next, err := interfaceSource(v).answer(interfaceListing(), found, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeNetworkInterfacesOutput{NetworkInterfaces: page, NextToken: next}, nil
}

func interfaceSource(r state.Reader) source[*resource.NetworkInterface, NetworkInterface] {
	private := func(n *resource.NetworkInterface) []string {
		var out []string
		for _, a := range n.PrivateIPs {
			out = append(out, a.String())
		}
		return out
	}
	return source[*resource.NetworkInterface, NetworkInterface]{
		key:  (*resource.NetworkInterface).Key,
		item: func(n *resource.NetworkInterface) NetworkInterface { return interfaceOutput(r, n) },
		tags: func(n *resource.NetworkInterface) resource.Tags { return n.Tags },
		quick: fields[*resource.NetworkInterface]{
			"addresses.private-ip-address": private,
			"description":                  func(n *resource.NetworkInterface) []string { return []string{n.Description} },
			"group-id":                     func(n *resource.NetworkInterface) []string { return stringsOf(n.GroupIDs) },
			"interface-type":               func(n *resource.NetworkInterface) []string { return []string{n.InterfaceType} },
			"network-interface-id":         func(n *resource.NetworkInterface) []string { return []string{string(n.ID)} },
			"private-ip-address":           func(n *resource.NetworkInterface) []string { return []string{n.PrimaryIP().String()} },
			"subnet-id":                    func(n *resource.NetworkInterface) []string { return []string{string(n.SubnetID)} },
			"vpc-id":                       func(n *resource.NetworkInterface) []string { return []string{string(n.VPCID)} },
		},
	}
}

func interfaceListing() listing[NetworkInterface] {
	f := fields[NetworkInterface]{
		"availability-zone": func(n NetworkInterface) []string { return text(n.AvailabilityZone) },
		"description":       func(n NetworkInterface) []string { return text(n.Description) },
		"group-id": func(n NetworkInterface) []string {
			return each(n.Groups, func(g GroupIdentifier) *string { return g.GroupId })
		},
		"group-name": func(n NetworkInterface) []string {
			return each(n.Groups, func(g GroupIdentifier) *string { return g.GroupName })
		},
		"interface-type":       func(n NetworkInterface) []string { return text(n.InterfaceType) },
		"mac-address":          func(n NetworkInterface) []string { return text(n.MacAddress) },
		"network-interface-id": func(n NetworkInterface) []string { return text(n.NetworkInterfaceId) },
		"owner-id":             func(n NetworkInterface) []string { return text(n.OwnerId) },
		"private-dns-name":     func(n NetworkInterface) []string { return text(n.PrivateDnsName) },
		"private-ip-address":   func(n NetworkInterface) []string { return text(n.PrivateIpAddress) },
		"requester-id":         func(n NetworkInterface) []string { return text(n.RequesterId) },
		"requester-managed":    func(n NetworkInterface) []string { return flag(n.RequesterManaged) },
		"source-dest-check":    func(n NetworkInterface) []string { return flag(n.SourceDestCheck) },
		"status":               func(n NetworkInterface) []string { return text(n.Status) },
		"subnet-id":            func(n NetworkInterface) []string { return text(n.SubnetId) },
		"vpc-id":               func(n NetworkInterface) []string { return text(n.VpcId) },

		"availability-zone-id": zoneIDOfInterface,
		"operator.managed":     func(NetworkInterface) []string { return []string{"false"} }, // services say requester here
		"operator.principal":   none[NetworkInterface],

		"ipv6-addresses.ipv6-address": func(n NetworkInterface) []string {
			return each(n.Ipv6Addresses, func(a NetworkInterfaceIpv6Address) *string { return a.Ipv6Address })
		},
	}
	addAddressFields(f)
	addAttachmentFields(f)
	return listing[NetworkInterface]{
		key:    func(n NetworkInterface) string { return *n.NetworkInterfaceId },
		tags:   func(n NetworkInterface) []Tag { return n.TagSet },
		fields: f,
	}
}

func addAddressFields(f fields[NetworkInterface]) {
	associations := func(of func(NetworkInterfaceAssociation) *string) func(NetworkInterface) []string {
		return func(n NetworkInterface) []string {
			return each(n.PrivateIpAddresses, func(a NetworkInterfacePrivateIpAddress) *string { return of(value(a.Association)) })
		}
	}
	public := associations(func(a NetworkInterfaceAssociation) *string { return a.PublicIp })
	owner := associations(func(a NetworkInterfaceAssociation) *string { return a.IpOwnerId })
	f["addresses.association.public-ip"] = public
	f["addresses.association.owner-id"] = owner
	f["association.public-ip"] = public
	f["association.ip-owner-id"] = owner
	f["association.public-dns-name"] = associations(func(a NetworkInterfaceAssociation) *string { return a.PublicDnsName })
	f["association.allocation-id"] = associations(func(a NetworkInterfaceAssociation) *string { return a.AllocationId })
	f["association.association-id"] = associations(func(a NetworkInterfaceAssociation) *string { return a.AssociationId })
	f["addresses.private-ip-address"] = func(n NetworkInterface) []string {
		return each(n.PrivateIpAddresses, func(a NetworkInterfacePrivateIpAddress) *string { return a.PrivateIpAddress })
	}
	f["addresses.primary"] = func(n NetworkInterface) []string {
		var out []string
		for _, a := range n.PrivateIpAddresses {
			out = append(out, flag(a.Primary)...)
		}
		return out
	}
}

func addAttachmentFields(f fields[NetworkInterface]) {
	attachment := func(of func(NetworkInterfaceAttachment) []string) func(NetworkInterface) []string {
		return func(n NetworkInterface) []string {
			if n.Attachment == nil {
				return nil
			}
			return of(*n.Attachment)
		}
	}
	f["attachment.attach-time"] = attachment(func(a NetworkInterfaceAttachment) []string { return moment(a.AttachTime) })
	f["attachment.attachment-id"] = attachment(func(a NetworkInterfaceAttachment) []string { return text(a.AttachmentId) })
	f["attachment.delete-on-termination"] = attachment(func(a NetworkInterfaceAttachment) []string { return flag(a.DeleteOnTermination) })
	f["attachment.device-index"] = attachment(func(a NetworkInterfaceAttachment) []string { return number(a.DeviceIndex) })
	f["attachment.instance-id"] = attachment(func(a NetworkInterfaceAttachment) []string { return text(a.InstanceId) })
	f["attachment.instance-owner-id"] = attachment(func(a NetworkInterfaceAttachment) []string { return text(a.InstanceOwnerId) })
	f["attachment.status"] = attachment(func(a NetworkInterfaceAttachment) []string { return text(a.Status) })
}

func interfaceOutput(r state.Reader, n *resource.NetworkInterface) NetworkInterface {
	out := NetworkInterface{
		Attachment:         attachmentOutput(n),
		AvailabilityZone:   new(n.AvailabilityZone),
		Description:        new(n.Description),
		Groups:             groupIdentifiers(r, n.GroupIDs),
		InterfaceType:      new(n.InterfaceType),
		Ipv6Addresses:      ipv6AddressesOutput(n),
		Ipv6Native:         new(false),
		MacAddress:         new(n.MAC),
		NetworkInterfaceId: new(string(n.ID)),
		OwnerId:            new(r.Account()),
		PrivateIpAddress:   new(n.PrimaryIP().String()),
		PrivateIpAddresses: privateAddressesOutput(r, n),
		RequesterManaged:   new(n.RequesterManaged),
		SourceDestCheck:    new(n.SourceDestCheck),
		Status:             new("available"),
		SubnetId:           new(string(n.SubnetID)),
		TagSet:             tagSet(n.Tags),
		VpcId:              new(string(n.VPCID)),
	}
	if n.Attachment != nil {
		out.Status = new("in-use")
	}
	if len(out.Ipv6Addresses) > 0 {
		out.Ipv6Address = out.Ipv6Addresses[0].Ipv6Address
	}
	if n.RequesterID != "" {
		out.RequesterId = new(n.RequesterID)
	}
	out.Association = out.PrivateIpAddresses[0].Association
	out.PrivateDnsName = out.PrivateIpAddresses[0].PrivateDnsName
	return out
}

func attachmentOutput(n *resource.NetworkInterface) *NetworkInterfaceAttachment {
	a := n.Attachment
	if a == nil {
		return nil
	}
	out := &NetworkInterfaceAttachment{
		AttachTime:          timestamp(a.AttachTime),
		AttachmentId:        new(a.ID),
		DeleteOnTermination: new(a.DeleteOnTermination),
		DeviceIndex:         new(int64(a.DeviceIndex)),
		InstanceOwnerId:     new(a.InstanceOwnerID),
		NetworkCardIndex:    new(int64(0)),
		Status:              new("attached"),
	}
	if a.InstanceID != "" {
		out.InstanceId = new(string(a.InstanceID))
	}
	return out
}

func groupIdentifiers(r state.Reader, ids []resource.SecurityGroupID) []GroupIdentifier {
	out := []GroupIdentifier{}
	for _, id := range ids {
		g := GroupIdentifier{GroupId: new(string(id))}
		if found, ok := state.Get[*resource.SecurityGroup](r, id); ok {
			g.GroupName = new(found.Name)
		}
		out = append(out, g)
	}
	return out
}

// privateAddressesOutput lists the addresses with their names, which exist while the VPC has DNS host names on.
func privateAddressesOutput(r state.Reader, n *resource.NetworkInterface) []NetworkInterfacePrivateIpAddress {
	v, ok := state.Get[*resource.VPC](r, n.VPCID)
	names := ok && v.EnableDNSSupport && v.EnableDNSHostnames
	addresses := addressesByInterface().Find(r, string(n.ID))
	var out []NetworkInterfacePrivateIpAddress
	for i, ip := range n.PrivateIPs {
		a := NetworkInterfacePrivateIpAddress{Primary: new(i == 0), PrivateIpAddress: new(ip.String())}
		if names {
			a.PrivateDnsName = new(hostName("ip", ip, defaultDomain(r.Region())))
		}
		for _, public := range addresses {
			if public.PrivateIP == ip {
				a.Association = addressAssociation(r, public, names)
			}
		}
		out = append(out, a)
	}
	return out
}

func addressesByInterface() state.Index[*resource.Address] {
	return state.Index[*resource.Address]{Name: "interface", Of: func(a *resource.Address) []string { return []string{string(a.NetworkInterfaceID)} }}
}

func addressAssociation(r state.Reader, a *resource.Address, names bool) *NetworkInterfaceAssociation {
	out := &NetworkInterfaceAssociation{IpOwnerId: new("amazon"), PublicIp: new(a.PublicIP.String())}
	if !a.AutoAssigned {
		out.IpOwnerId, out.AllocationId, out.AssociationId = new(r.Account()), new(string(a.AllocationID)), new(a.AssociationID)
	}
	if names {
		domain := r.Region() + ".compute.amazonaws.com"
		if r.Region() == "us-east-1" {
			domain = "compute-1.amazonaws.com"
		}
		out.PublicDnsName = new(hostName("ec2", a.PublicIP, domain))
	}
	return out
}

// hostName is the name that AWS makes of an address: ip-10-0-1-5.us-west-2.compute.internal.
func hostName(prefix string, a netip.Addr, domain string) string {
	return prefix + "-" + strings.ReplaceAll(a.String(), ".", "-") + "." + domain
}
