package diagram

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const region = "us-west-2"

// network is a region under construction.
type network struct {
	t         testing.TB
	resources []state.Resource
	in        Input
	last      int
	later     []func(*topology.Topology)
	subnets   []*testSubnet
}

func newNetwork(t testing.TB) *network {
	return &network{t: t, in: Input{Names: map[string]string{}}}
}

func (n *network) put(r ...state.Resource) { n.resources = append(n.resources, r...) }

func (n *network) id(prefix string) string {
	n.last++
	return fmt.Sprintf("%s-%017x", prefix, n.last)
}

func (n *network) named(id, name string) string {
	if name != "" {
		n.in.Names[id] = name
	}
	return id
}

// vpc makes a VPC that forbids nothing: what is drawn depends on routes and endpoints alone.
func (n *network) vpc(name, cidr string) resource.VPCID {
	id := resource.VPCID(n.named(n.id("vpc"), name))
	all := netip.MustParsePrefix("0.0.0.0/0")
	n.put(
		&resource.VPC{ID: id, CIDRs: []resource.VPCCIDR{{Prefix: netip.MustParsePrefix(cidr)}}, EnableDNSSupport: true, EnableDNSHostnames: true},
		&resource.NetworkACL{ID: resource.NetworkACLID("acl-" + id), VPCID: id, IsDefault: true, Entries: []resource.NetworkACLEntry{
			{RuleNumber: 100, Egress: true, Protocol: resource.AllProtocols, Allow: true, CIDR: all},
			{RuleNumber: 100, Protocol: resource.AllProtocols, Allow: true, CIDR: all},
		}},
		&resource.SecurityGroup{ID: resource.SecurityGroupID("sg-" + id), VPCID: id, Rules: []resource.SecurityGroupRule{
			{ID: resource.SecurityGroupRuleID("sgr-1-" + id), Egress: true, Protocol: resource.AllProtocols, CIDR: all},
			{ID: resource.SecurityGroupRuleID("sgr-2-" + id), Protocol: resource.AllProtocols, CIDR: all},
		}},
	)
	return id
}

// testSubnet is a subnet with its route table.
type testSubnet struct {
	*resource.Subnet
	table *resource.RouteTable
	used  int
}

func (n *network) subnet(vpc resource.VPCID, name, cidr, zone string) *testSubnet {
	s := &resource.Subnet{
		ID: resource.SubnetID(n.named(n.id("subnet"), name)), VPCID: vpc, CIDR: netip.MustParsePrefix(cidr), AvailabilityZone: region + zone,
		NetworkACLID: resource.NetworkACLID("acl-" + vpc),
	}
	table := &resource.RouteTable{ID: resource.RouteTableID(n.id("rtb")), VPCID: vpc, Associations: []resource.RouteTableAssociation{{SubnetID: s.ID}}}
	n.put(s, table)
	made := &testSubnet{s, table, 3}
	n.subnets = append(n.subnets, made)
	return made
}

func (s *testSubnet) route(to resource.RouteTarget) {
	s.table.Routes = append(s.table.Routes, resource.Route{DestinationCIDR: netip.MustParsePrefix("0.0.0.0/0"), Target: to})
}

func (n *network) eni(s *testSubnet, kind string) *resource.NetworkInterface {
	a := s.CIDR.Addr().As4()
	s.used++
	a[3] = byte(s.used)
	e := &resource.NetworkInterface{
		ID: resource.NetworkInterfaceID(n.id("eni")), VPCID: s.VPCID, SubnetID: s.ID, InterfaceType: kind, SourceDestCheck: true,
		PrivateIPs: []netip.Addr{netip.AddrFrom4(a)},
	}
	if kind != resource.InterfaceTypeNATGateway {
		e.GroupIDs = []resource.SecurityGroupID{resource.SecurityGroupID("sg-" + s.VPCID)}
	}
	n.put(e)
	return e
}

func (n *network) function(name string, in ...*testSubnet) {
	f := Function{Name: name}
	for _, s := range in {
		f.ENIs = append(f.ENIs, n.eni(s, resource.InterfaceTypeLambda).ID)
	}
	n.in.Functions = append(n.in.Functions, f)
}

func (n *network) internetGateway(vpc resource.VPCID) resource.InternetGatewayID {
	id := resource.InternetGatewayID(n.id("igw"))
	n.put(&resource.InternetGateway{ID: id, VPCID: vpc})
	return id
}

func (n *network) natGateway(s *testSubnet) resource.NATGatewayID {
	e := n.eni(s, resource.InterfaceTypeNATGateway)
	id := resource.NATGatewayID(n.id("nat"))
	n.put(&resource.NATGateway{ID: id, VPCID: s.VPCID, SubnetID: s.ID, NetworkInterfaceID: e.ID, Public: true, State: "available"})
	n.put(&resource.Address{AllocationID: resource.AllocationID(n.id("eipalloc")), PublicIP: netip.AddrFrom4([4]byte{203, 0, byte(n.last >> 8), byte(n.last)}),
		NetworkInterfaceID: e.ID, PrivateIP: e.PrivateIPs[0]})
	return id
}

func (n *network) interfaceEndpoint(service string, privateDNS bool, in ...*testSubnet) resource.VPCEndpointID {
	e := &resource.VPCEndpoint{
		ID: resource.VPCEndpointID(n.id("vpce")), VPCID: in[0].VPCID, Type: resource.EndpointTypeInterface, State: "available",
		ServiceName: "com.amazonaws." + region + "." + service, PrivateDNSEnabled: privateDNS, DNSSuffix: "abcd1234",
	}
	for _, s := range in {
		e.SubnetIDs = append(e.SubnetIDs, s.ID)
		e.NetworkInterfaceIDs = append(e.NetworkInterfaceIDs, n.eni(s, resource.InterfaceTypeVPCEndpoint).ID)
	}
	n.put(e)
	return e.ID
}

func (n *network) gatewayEndpoint(service string, in ...*testSubnet) {
	e := &resource.VPCEndpoint{
		ID: resource.VPCEndpointID(n.id("vpce")), VPCID: in[0].VPCID, Type: resource.EndpointTypeGateway, State: "available",
		ServiceName: "com.amazonaws." + region + "." + service,
	}
	for _, s := range in {
		e.RouteTableIDs = append(e.RouteTableIDs, s.table.ID)
	}
	n.put(e)
}

// peering joins two VPCs; see routePeerings.
func (n *network) peering(a, b resource.VPCID, name string) {
	id := resource.PeeringID(n.named(n.id("pcx"), name))
	n.put(&resource.VPCPeeringConnection{ID: id, Requester: resource.PeeringSide{VPCID: a}, Accepter: resource.PeeringSide{VPCID: b}, State: resource.PeeringActive})
}

func (n *network) instance(s *testSubnet, name string) *resource.NetworkInterface {
	e := n.eni(s, resource.InterfaceTypeInterface)
	i := n.named(n.id("i"), name)
	n.in.Instances = append(n.in.Instances, Instance{ID: i, State: resource.InstanceRunning, ENI: e.ID})
	e.Attachment = &resource.Attachment{InstanceID: resource.InstanceID(i)}
	n.put(e)
	return e
}

// further makes an interface the second of the last instance, if there is one.
func (n *network) further(e *resource.NetworkInterface) {
	if len(n.in.Instances) > 0 {
		e.Attachment = &resource.Attachment{InstanceID: resource.InstanceID(n.in.Instances[len(n.in.Instances)-1].ID), DeviceIndex: 1}
		n.put(e)
	}
}

func (n *network) loadBalancer(name string, targets []netip.Addr, in ...*testSubnet) resource.LoadBalancerARN {
	b := &resource.LoadBalancer{ARN: resource.LoadBalancerARN(n.id("arn:lb")), Name: name, VPCID: in[0].VPCID}
	zones := map[string]bool{}
	for _, s := range in {
		if zones[s.AvailabilityZone] {
			continue
		}
		zones[s.AvailabilityZone] = true
		e := n.eni(s, resource.InterfaceTypeLoadBalancer)
		b.Nodes = append(b.Nodes, resource.LoadBalancerNode{SubnetID: s.ID, AvailabilityZone: s.AvailabilityZone, NetworkInterfaceID: e.ID})
	}
	group := &resource.TargetGroup{ARN: resource.TargetGroupARN(n.id("arn:tg")), VPCID: b.VPCID, Attributes: map[string]string{"load_balancing.cross_zone.enabled": "true"}}
	for _, a := range targets {
		group.Targets = append(group.Targets, resource.Target{Address: a, Port: 8080, AvailabilityZone: resource.AllZones})
	}
	n.put(b, group, &resource.Listener{ARN: resource.ListenerARN(n.id("arn:l")), LoadBalancer: b.ARN, Port: 443, TargetGroup: group.ARN})
	return b.ARN
}

// endpointService returns the name that endpoints call it by.
func (n *network) endpointService(b resource.LoadBalancerARN) string {
	s := &resource.EndpointService{ID: resource.EndpointServiceID(n.id("vpce-svc")), LoadBalancers: []resource.LoadBalancerARN{b}}
	n.put(s)
	return s.Name(region)
}

func (n *network) privateLink(service string, in ...*testSubnet) {
	e := &resource.VPCEndpoint{ID: resource.VPCEndpointID(n.id("vpce")), VPCID: in[0].VPCID, Type: resource.EndpointTypeInterface, State: "available", ServiceName: service}
	for _, s := range in {
		e.SubnetIDs = append(e.SubnetIDs, s.ID)
		e.NetworkInterfaceIDs = append(e.NetworkInterfaceIDs, n.eni(s, resource.InterfaceTypeVPCEndpoint).ID)
	}
	n.put(e)
}

// egressOnly gives subnets IPv6 and a way out.
func (n *network) egressOnly(vpc resource.VPCID, in ...*testSubnet) {
	id := resource.EgressOnlyGatewayID(n.id("eigw"))
	n.later = append(n.later, func(t *topology.Topology) {
		v := t.VPC(vpc)
		v.EgressOnly = append(v.EgressOnly, id)
		for _, s := range in {
			to := v.Subnet(s.ID)
			to.Routes = append(to.Routes, topology.Route{Destination: netip.MustParsePrefix("::/0"), Kind: topology.TargetEgressOnly, TargetID: string(id)})
			for _, e := range v.ENIs {
				if e.SubnetID == s.ID {
					e.IPv6 = []netip.Addr{netip.MustParseAddr("2600:1f14::" + e.Address().String())}
				}
			}
		}
	})
}

// input resolves what was made.
func (n *network) input() Input {
	store, err := state.Open(state.Config{Region: region, Account: "000000000000"})
	if err != nil {
		n.t.Fatal(err)
	}
	n.routePeerings()
	if _, err := store.Update(func(tx *state.Tx) error {
		for _, r := range n.resources {
			tx.Put(r)
		}
		return nil
	}); err != nil {
		n.t.Fatal(err)
	}
	n.in.Topology = topology.Resolve(store.View(), topology.Options{})
	for _, change := range n.later {
		change(n.in.Topology)
	}
	return n.in
}

// path asks for the path of a function.
func path(t testing.TB, in Input, function, service string) *Path {
	i := slices.IndexFunc(in.Functions, func(f Function) bool { return f.Name == function })
	if i < 0 {
		t.Fatalf("there is no function %s", function)
	}
	p := &Path{Function: function, Target: service, Service: service}
	if enis := in.Functions[i].ENIs; len(enis) > 0 {
		p.From = enis[0]
	}
	p.Trace = explain.Explain(in.Topology, explain.Flow{From: p.From, Name: ServiceHost(service, region), Port: 443})
	return p
}

// article is the article's network: a function and a server in a private subnet.
func article(t testing.TB) (n *network, vpc resource.VPCID, private *testSubnet) {
	n = newNetwork(t)
	vpc = n.vpc("vpc-endpoint-demo-vpc", "10.0.0.0/16")
	private = n.subnet(vpc, "vpc-endpoint-demo-private-subnet", "10.0.1.0/24", "a")
	n.function("vpc-endpoint-demo-lambda", private)
	n.instance(private, "vpc-endpoint-demo-server")
	n.in.Buckets = []string{"vpc-endpoint-demo-bucket"}
	return n, vpc, private
}

func articleByNAT(t testing.TB) Input {
	n, vpc, private := article(t)
	gateway := n.internetGateway(vpc)
	public := n.subnet(vpc, "vpc-endpoint-demo-public-subnet", "10.0.2.0/24", "a")
	public.route(resource.RouteTarget{InternetGatewayID: gateway})
	private.route(resource.RouteTarget{NATGatewayID: n.natGateway(public)})
	in := n.input()
	in.Title = "Without a VPC endpoint: by the NAT gateway and the internet gateway"
	return in
}

func articleByEndpoint(t testing.TB) Input {
	n, _, private := article(t)
	n.interfaceEndpoint("s3", true, private)
	in := n.input()
	in.Title = "With a VPC endpoint"
	return in
}

// routePeerings leads every subnet of peered VPCs to the other side.
func (n *network) routePeerings() {
	blocks := map[resource.VPCID]netip.Prefix{}
	var tables []*resource.RouteTable
	var connections []*resource.VPCPeeringConnection
	for _, r := range n.resources {
		switch r := r.(type) {
		case *resource.VPC:
			blocks[r.ID] = r.CIDRs[0].Prefix
		case *resource.RouteTable:
			tables = append(tables, r)
		case *resource.VPCPeeringConnection:
			connections = append(connections, r)
		}
	}
	for _, table := range tables {
		for _, c := range connections {
			if _, other, ok := c.Side(table.VPCID); ok {
				table.Routes = append(table.Routes, resource.Route{DestinationCIDR: blocks[other.VPCID], Target: resource.RouteTarget{PeeringID: c.ID}})
			}
		}
	}
}
