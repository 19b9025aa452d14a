package linux

import (
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	. "github.com/culvert-cloud/culvert/internal/network/dataplane/dataplanetest"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// A pairing is a client and a server in two subnets, each with a group of its own that allows nothing.
type pairing struct {
	*world
	vpc                   *VPC
	client, server        *topology.ENI
	clients, servers      *topology.SecurityGroup
	clientPlace, atServer dataplane.Attachment
}

func newPairing(t *testing.T) *pairing {
	w := newWorld(t)
	v := w.VPC("a", "10.0.0.0/16")
	one, two := v.Subnet("one", "10.0.1.0/24"), v.Subnet("two", "10.0.2.0/24")
	p := &pairing{world: w, vpc: v, clients: v.Group("clients", nil, nil), servers: v.Group("servers", nil, nil)}
	p.client = v.ENI("client", one, "10.0.1.10", "sg-clients")
	p.server = v.ENI("server", two, "10.0.2.10", "sg-servers")
	p.apply()
	p.serve(dataplane.Place{ENI: p.server.ID}, 80)
	p.serve(dataplane.Place{ENI: p.server.ID}, 443)
	p.servePackets(dataplane.Place{ENI: p.server.ID}, 53)
	p.clientPlace, p.atServer = p.attach(p.client), p.attach(p.server)
	return p
}

// to probes the server.
func (p *pairing) to(name, network, port string, want Outcome) check {
	if network == "icmp" {
		return check{name, p.clientPlace, network, "10.0.2.10", want}
	}
	return check{name, p.clientPlace, network, "10.0.2.10:" + port, want}
}

func TestGroupsAllowWhatTheirRulesSayAndNothingElse(t *testing.T) {
	p := newPairing(t)
	p.check(p.to("no rules", "tcp", "80", TimedOut))

	p.clients.Egress = []topology.Rule{Allow(6, 0, 65535, "10.0.2.0/24"), Allow(1, -1, -1, "0.0.0.0/0")}
	p.servers.Ingress = []topology.Rule{Allow(6, 80, 81, "10.0.1.10/32")}
	p.apply()
	p.check(
		p.to("allowed", "tcp", "80", Connected),
		p.to("allowed, closed port", "tcp", "81", Refused),
		p.to("another port", "tcp", "443", TimedOut),
		p.to("another protocol", "udp", "53", TimedOut),
		p.to("ICMP, only out", "icmp", "", TimedOut),
		check{"back", p.atServer, "tcp", "10.0.1.10:80", TimedOut},
	)
	p.clients.Egress = append(p.clients.Egress, Allow(17, 53, 53, "0.0.0.0/0"))
	p.servers.Ingress = []topology.Rule{Allow(17, 1, 100, "10.0.0.0/8"), Allow(1, 8, 0, "10.0.1.0/24")}
	p.apply()
	p.check(
		p.to("no more", "tcp", "80", TimedOut),
		p.to("datagrams", "udp", "53", Connected),
		p.to("echo requests", "icmp", "", Connected),
	)
	p.servers.Ingress = []topology.Rule{Allow(1, 3, -1, "0.0.0.0/0"), Allow(50, -1, -1, "0.0.0.0/0")}
	p.apply()
	p.check(
		p.to("another type of ICMP", "icmp", "", TimedOut),
		p.to("another protocol's rule", "tcp", "80", TimedOut),
	)
	p.servers.Ingress = []topology.Rule{Allow(resource.AllProtocols, -1, -1, "10.0.1.0/24")}
	p.apply()
	p.check(
		p.to("all protocols: TCP", "tcp", "443", Connected),
		p.to("all protocols: UDP", "udp", "53", Connected),
		p.to("all protocols: ICMP", "icmp", "", Connected),
	)
}

func TestAGroupReferenceFollowsMembership(t *testing.T) {
	p := newPairing(t)
	p.vpc.Group("friends", nil, nil)
	p.clients.Egress = []topology.Rule{Allow(6, 0, 65535, "sg-servers")}
	p.servers.Ingress = []topology.Rule{Allow(6, 80, 80, "sg-friends")}
	p.apply()
	p.check(p.to("not a member", "tcp", "80", TimedOut))

	p.client.GroupIDs = []resource.SecurityGroupID{"sg-clients", "sg-friends"}
	p.apply()
	p.check(p.to("a member", "tcp", "80", Connected))
	open := p.connect(p.clientPlace, "10.0.2.10:80")

	p.client.GroupIDs = []resource.SecurityGroupID{"sg-clients"}
	p.apply()
	p.check(p.to("no longer a member", "tcp", "80", TimedOut))
	if !open.alive(4 * patience) {
		t.Error("a tracked connection did not survive the change of membership")
	}
}

func TestATrackedConnectionSurvivesItsRule(t *testing.T) {
	p := newPairing(t)
	p.clients.Egress = []topology.Rule{Allow(6, 80, 80, "10.0.2.0/24")}
	p.servers.Ingress = []topology.Rule{Allow(6, 80, 80, "10.0.1.0/24")}
	p.apply()
	open := p.connect(p.clientPlace, "10.0.2.10:80")
	p.clients.Egress, p.servers.Ingress = nil, nil
	p.apply()
	p.check(p.to("new", "tcp", "80", TimedOut))
	if !open.alive(4 * patience) {
		t.Error("the connection was cut")
	}
}

func TestGroupsComeAndGo(t *testing.T) {
	p := newPairing(t)
	for range 2 {
		p.vpc.Group("extra", []topology.Rule{Allow(-1, -1, -1, "0.0.0.0/0")}, []topology.Rule{Allow(-1, -1, -1, "sg-extra"), Allow(-1, -1, -1, "pl-extra")})
		p.vpc.PrefixList("extra", "10.9.0.0/16")
		both := []resource.SecurityGroupID{"sg-extra"}
		p.client.GroupIDs, p.server.GroupIDs = both, both
		p.apply()
		p.check(p.to("with the group", "tcp", "80", Connected))
		p.vpc.SecurityGroups = p.vpc.SecurityGroups[:len(p.vpc.SecurityGroups)-1]
		p.vpc.PrefixLists = nil
		p.client.GroupIDs, p.server.GroupIDs = []resource.SecurityGroupID{"sg-clients"}, []resource.SecurityGroupID{"sg-servers"}
		p.apply()
		p.check(p.to("without", "tcp", "80", TimedOut))
	}
}

func TestNetworkACLsAreStateless(t *testing.T) {
	p := newPairing(t)
	open := []resource.SecurityGroupID{p.vpc.Open()}
	p.client.GroupIDs, p.server.GroupIDs = open, open
	p.apply()
	flow := p.connect(p.clientPlace, "10.0.2.10:80")
	neighbour := p.vpc.ENI("neighbour", p.vpc.Subnets[1], "10.0.2.20")
	acl := p.vpc.ACL("strict",
		[]topology.Entry{Entry(90, false, 6, 443, 443, "0.0.0.0/0"), Entry(100, true, 6, 80, 443, "10.0.1.0/24"), Entry(110, true, 1, 8, -1, "0.0.0.0/0")}, nil)
	p.vpc.Subnets[1].NetworkACLID = acl.ID
	p.apply()
	n := p.attach(neighbour)
	p.check(
		p.to("no entry for the replies", "tcp", "80", TimedOut),
		check{"in the same subnet no ACL applies", n, "tcp", "10.0.2.10:80", Connected},
		check{"not even a deny", n, "tcp", "10.0.2.10:443", Connected},
	)
	if flow.alive(patience) {
		t.Error("an established connection went on although its replies are denied")
	}
	acl.Egress = []topology.Entry{Entry(100, true, 6, 1024, 65535, "10.0.1.0/24"), Entry(110, true, 1, 0, 0, "10.0.1.0/24")}
	p.apply()
	p.check(
		p.to("with an entry for the replies", "tcp", "80", Connected),
		p.to("an earlier entry wins", "tcp", "443", TimedOut),
		p.to("ping", "icmp", "", Connected),
		p.to("nothing allows datagrams", "udp", "53", TimedOut),
	)
	flow.SetDeadline(farFuture())
	if !flow.resumes() {
		t.Error("the established connection did not resume")
	}
}

func TestTheResolverAnswersWhateverTheRulesSay(t *testing.T) {
	p := newPairing(t)
	deny := p.vpc.ACL("deny", nil, nil)
	for _, s := range p.vpc.Subnets {
		s.NetworkACLID = deny.ID
	}
	p.apply()
	for _, a := range []string{"10.0.0.2", "169.254.169.253"} {
		at := dataplane.Place{VPC: p.vpc.ID, Resolver: addr(a)}
		p.serve(at, 53)
		p.servePackets(at, 53)
	}
	p.serve(dataplane.Place{VPC: p.vpc.ID, Resolver: addr("10.0.0.2")}, 80)
	p.check(
		check{"base+2, datagrams", p.clientPlace, "udp", "10.0.0.2:53", Connected},
		check{"base+2, streams", p.clientPlace, "tcp", "10.0.0.2:53", Connected},
		check{"link-local, datagrams", p.clientPlace, "udp", "169.254.169.253:53", Connected},
		check{"link-local, streams", p.clientPlace, "tcp", "169.254.169.253:53", Connected},
		check{"another port", p.clientPlace, "tcp", "10.0.0.2:80", TimedOut},
		check{"ping", p.clientPlace, "icmp", "10.0.0.2", TimedOut},
	)
}
