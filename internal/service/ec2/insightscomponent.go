package ec2

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// components writes what explain says in the Reachability Analyzer's words.
type components struct {
	reader   state.Reader
	topology *topology.Topology
}

func (c components) of(id string) *AnalysisComponent {
	switch {
	case id == "":
		return nil
	case strings.HasPrefix(id, "arn:"): // a load balancer
		return &AnalysisComponent{Id: new(id), Arn: new(id)}
	}
	return &AnalysisComponent{Id: new(id), Arn: new(arn(c.reader, insightsKind(id), id))}
}

// way is the components of one direction, the interface that the packets leave first. What arrives at a component is
// what left the one before.
func (c components) way(from resource.NetworkInterfaceID, hops []explain.Hop, trace explain.Trace) []PathComponent {
	var out []PathComponent
	var before *AnalysisPacketHeader
	add := func(p PathComponent, packet explain.Header) {
		if n := len(out); n > 0 && *out[n-1].Component.Id == *p.Component.Id && p.AclRule == nil && p.SecurityGroupRule == nil {
			return
		}
		p.SequenceNumber = new(int64(len(out) + 1))
		p.InboundHeader, p.OutboundHeader = before, packetHeader(packet)
		before = p.OutboundHeader
		out = append(out, p)
	}
	if from != "" && len(hops) > 0 {
		add(c.placed(PathComponent{Component: c.of(string(from))}, from), hops[0].Packet)
	}
	for _, h := range hops {
		id := h.Component.ID
		p := PathComponent{Component: c.of(id)}
		switch h.Component.Kind {
		case resource.KindSecurityGroup:
			p.SecurityGroupRule = c.groupRule(id, h.Rule)
		case resource.KindNetworkACL:
			p.AclRule = c.aclRule(id, h.Rule)
		case resource.KindRouteTable:
			p.RouteTableRoute = c.route(id, h.Rule)
		case resource.KindNetworkInterface:
			p = c.placed(p, resource.NetworkInterfaceID(id))
		case resource.KindInternetGateway, resource.KindNATGateway, resource.KindVPCPeering, resource.KindVPCEndpoint, resource.KindLoadBalancer:
		default: // services and the internet are no components of AWS's
			continue
		}
		if h.Verdict == explain.Allow && id != "" {
			add(p, h.Packet)
		}
	}
	if n := len(out); n > 1 {
		out[n-1].OutboundHeader = nil // there it ends
	}
	c.addDetails(out, trace)
	return out
}

// addDetails says where a path leaves a zone, which costs money, and whether only one way of it was looked at.
func (c components) addDetails(way []PathComponent, trace explain.Trace) {
	zone := ""
	for i, p := range way {
		e := c.topology.ENIs[resource.NetworkInterfaceID(*p.Component.Id)]
		if e == nil {
			continue
		}
		in := ""
		if s := c.topology.VPC(e.VPCID).Subnet(e.SubnetID); s != nil {
			in = s.AZ
		}
		if zone != "" && in != zone {
			way[i].AdditionalDetails = append(way[i].AdditionalDetails, AdditionalDetail{AdditionalDetailType: new("AVAILABILITY_ZONE_CROSSED"), Component: p.Component})
		}
		zone = in
	}
	if len(way) > 0 && len(trace.Return) == 0 {
		way[0].AdditionalDetails = append(way[0].AdditionalDetails, AdditionalDetail{AdditionalDetailType: new("UNIDIRECTIONAL_PATH_ANALYSIS_ONLY")})
	}
}

// single is an address as a block.
func single(a netip.Addr) string { return netip.PrefixFrom(a, a.BitLen()).String() }

func packetHeader(h explain.Header) *AnalysisPacketHeader {
	if !h.Source.IsValid() {
		return nil
	}
	out := &AnalysisPacketHeader{
		Protocol: new(fmt.Sprint(h.Protocol)), SourceAddresses: []string{single(h.Source)}, DestinationAddresses: []string{single(h.Destination)},
	}
	if h.DestinationPorts[1] != 0 {
		out.SourcePortRanges = []PortRange{{From: new(int64(h.SourcePorts[0])), To: new(int64(h.SourcePorts[1]))}}
		out.DestinationPortRanges = []PortRange{{From: new(int64(h.DestinationPorts[0])), To: new(int64(h.DestinationPorts[1]))}}
	}
	return out
}

// placed says where an interface is.
func (c components) placed(p PathComponent, id resource.NetworkInterfaceID) PathComponent {
	if e := c.topology.ENIs[id]; e != nil {
		p.Subnet, p.Vpc = c.of(string(e.SubnetID)), c.of(string(e.VPCID))
		if n, ok := state.Get[*resource.NetworkInterface](c.reader, id); ok && n.Attachment != nil && n.Attachment.InstanceID != "" {
			p.AttachedTo = c.of(string(n.Attachment.InstanceID))
		}
	}
	return p
}

func (c components) groupRule(group, id string) *AnalysisSecurityGroupRule {
	for _, v := range c.topology.VPCs {
		g := v.SecurityGroup(resource.SecurityGroupID(group))
		if g == nil {
			continue
		}
		for direction, rules := range map[string][]topology.Rule{"ingress": g.Ingress, "egress": g.Egress} {
			for _, r := range rules {
				if string(r.ID) != id {
					continue
				}
				out := &AnalysisSecurityGroupRule{Direction: new(direction), Protocol: new(protocolWord(r.Protocol)), PortRange: portRange(r.Protocol, r.FromPort, r.ToPort)}
				switch {
				case r.GroupID != "":
					out.SecurityGroupId = new(string(r.GroupID))
				case r.PrefixListID != "":
					out.PrefixListId = new(string(r.PrefixListID))
				default:
					out.Cidr = new(r.CIDR.String())
				}
				return out
			}
		}
	}
	return nil
}

// aclRule finds the entry that explain names: "ingress 100", or "ingress *" for the end of the list.
func (c components) aclRule(acl, rule string) *AnalysisAclRule {
	direction, number, _ := strings.Cut(rule, " ")
	egress := direction == "egress"
	for _, v := range c.topology.VPCs {
		n := v.NetworkACL(resource.NetworkACLID(acl))
		if n == nil {
			continue
		}
		entries := n.Ingress
		if egress {
			entries = n.Egress
		}
		for _, e := range entries {
			if fmt.Sprint(e.Number) != number {
				continue
			}
			action := "deny"
			if e.Allow {
				action = "allow"
			}
			return &AnalysisAclRule{
				Cidr: new(e.CIDR.String()), Egress: new(egress), Protocol: new(protocolWord(e.Protocol)), RuleAction: new(action),
				RuleNumber: new(int64(e.Number)), PortRange: portRange(e.Protocol, e.FromPort, e.ToPort),
			}
		}
		const last = 32767
		return &AnalysisAclRule{Cidr: new("0.0.0.0/0"), Egress: new(egress), Protocol: new("all"), RuleAction: new("deny"), RuleNumber: new(int64(last))}
	}
	return nil
}

func portRange(protocol, from, to int) *PortRange {
	if protocol != explain.TCP && protocol != explain.UDP || from < 0 {
		return nil
	}
	return &PortRange{From: new(int64(from)), To: new(int64(to))}
}

func protocolWord(p int) string {
	switch p {
	case resource.AllProtocols:
		return "all"
	case explain.TCP:
		return "tcp"
	case explain.UDP:
		return "udp"
	case explain.ICMP:
		return "icmp"
	}
	return fmt.Sprint(p)
}

// route finds the route that explain names by its destination: a block, or a list and a block, or "local".
func (c components) route(table, rule string) *AnalysisRouteTableRoute {
	for _, v := range c.topology.VPCs {
		for _, s := range v.Subnets {
			if string(s.RouteTableID) != table {
				continue
			}
			for _, r := range slices.Concat(s.Routes, s.Shadowed) {
				listed := r.PrefixListID != "" && rule == fmt.Sprintf("%s (%s)", r.PrefixListID, r.Destination)
				if rule == "local" && r.Kind == topology.TargetLocal || r.PrefixListID == "" && rule == r.Destination.String() || listed {
					return routeWords(r)
				}
			}
		}
	}
	return nil
}

func routeWords(r topology.Route) *AnalysisRouteTableRoute {
	out := &AnalysisRouteTableRoute{Origin: new("createroute"), State: new("active")}
	if r.PrefixListID != "" {
		out.DestinationPrefixListId = new(string(r.PrefixListID))
	} else {
		out.DestinationCidr = new(r.Destination.String())
	}
	if r.Blackhole {
		out.State = new("blackhole")
	}
	switch id := new(r.TargetID); r.Kind {
	case topology.TargetLocal:
		out.GatewayId, out.Origin = new("local"), new("createroutetable")
	case topology.TargetNATGateway:
		out.NatGatewayId = id
	case topology.TargetENI:
		out.NetworkInterfaceId = id
	case topology.TargetPeering:
		out.VpcPeeringConnectionId = id
	default:
		out.GatewayId = id
	}
	return out
}

// explanations are the blockers in AWS's codes. Ours that AWS has no word for it says as its nearest.
func (c components) explanations(blockers []explain.Hop) []Explanation {
	var out []Explanation
	for _, b := range blockers {
		e := Explanation{
			ExplanationCode: new(awsCode(b.Code)), Vpc: c.of(string(b.Where.VPC)), Subnet: c.of(string(b.Where.Subnet)), NetworkInterface: c.of(string(b.Where.Interface)),
		}
		if b.Where.Direction != "" {
			e.Direction = new(b.Where.Direction)
		}
		id := b.Component.ID
		switch b.Component.Kind {
		case resource.KindNetworkACL:
			e.Acl, e.AclRule = c.of(id), c.aclRule(id, b.Rule)
		case resource.KindSecurityGroup:
			e.SecurityGroups, e.SecurityGroupRule = []AnalysisComponent{*c.of(id)}, c.groupRule(id, b.Rule)
			if b.Code == "SG_HAS_NO_RULES" {
				e.SecurityGroup = c.of(id)
			}
		case resource.KindRouteTable:
			e.RouteTable, e.SubnetRouteTable, e.RouteTableRoute = c.of(id), c.of(id), c.route(id, b.Rule)
		case resource.KindInternetGateway:
			e.InternetGateway = c.of(id)
		case resource.KindNATGateway:
			e.NatGateway = c.of(id)
		case resource.KindVPCPeering:
			e.VpcPeeringConnection = c.of(id)
		case resource.KindVPCEndpoint:
			e.VpcEndpoint = c.of(id)
		case resource.KindLoadBalancer:
			e.LoadBalancerArn = new(id)
		case resource.KindVPC, resource.KindSubnet, resource.KindNetworkInterface:
			e.Component = c.of(id)
		}
		out = append(out, e)
	}
	return out
}

func awsCode(code string) string {
	switch {
	case code == "x:NACL_BLOCKS_RETURN":
		return "SUBNET_ACL_RESTRICTION"
	case code == "x:VPCE_NOT_ACCEPTED":
		return "BAD_STATE"
	case code == "x:FUNCTION_NOT_IN_VPC": // it is somebody on the internet, for AWS
		return "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS"
	case strings.HasPrefix(code, "x:"):
		return "NO_POSSIBLE_DESTINATION"
	}
	return code
}
