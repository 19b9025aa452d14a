package inspect

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// theInternet is an end that is nobody in particular.
const theInternet = "internet"

// ends are the two ends of what is asked about, as far as they were read.
type ends struct {
	view     *state.View
	topology *topology.Topology
	function string   // the source, if it is one
	sources  []origin // where its packets leave
	flow     explain.Flow
	meant    resource.NetworkInterfaceID // the destination, if it is an interface
	notes    []string
}

// origin is where packets begin: an interface, or an address on the internet.
type origin struct {
	eni     resource.NetworkInterfaceID
	address netip.Addr
}

// from reads the source: source= with whatever it is, function= or interface=.
func (e *ends) from(q url.Values) error {
	source, name, eni := q.Get("source"), q.Get("function"), q.Get("interface")
	switch {
	case len(q["group"]) > 0 && !strings.HasPrefix(source, "subnet-"):
		return badRequest("security groups can be asked about for a subnet only: what is there has its own")
	case q.Get("service") == "":
		return badRequest("say where: service=s3, a DNS name, a URL, an address, an interface, a function or internet")
	case name != "":
		return e.fromFunction(name)
	case eni != "":
		return e.fromInterface(eni)
	case source == "":
		return badRequest("say who: source= with a function, an instance, an interface, a subnet, an address or internet")
	case source == theInternet:
		e.sources = []origin{{}}
	case strings.HasPrefix(source, "eni-"):
		return e.fromInterface(source)
	case strings.HasPrefix(source, "i-"):
		n, err := e.instance(source)
		if err != nil {
			return err
		}
		return e.fromInterface(string(n))
	case strings.HasPrefix(source, "subnet-"):
		return e.fromSubnet(resource.SubnetID(source), q["group"])
	}
	if len(e.sources) > 0 {
		return nil
	}
	if a, err := netip.ParseAddr(source); err == nil {
		return e.fromAddress(a)
	}
	return e.fromFunction(strings.TrimPrefix(source, "function:"))
}

func (e *ends) fromFunction(name string) error {
	f, ok := state.Get[*resource.Function](e.view, name)
	if !ok {
		return notFound("there is no function %q in this region; %s", name, e.known())
	}
	e.function = name
	if f.VPCConfig == nil {
		e.sources = []origin{{}}
		return nil
	}
	for _, id := range f.VPCConfig.NetworkInterfaceIDs {
		e.sources = append(e.sources, origin{eni: id})
	}
	if len(e.sources) == 0 {
		return notFound("function %s has no interface", name)
	}
	return nil
}

// instance finds the primary interface of an instance. One that does not run sends and answers nothing.
func (e *ends) instance(id string) (resource.NetworkInterfaceID, error) {
	i, ok := state.Get[*resource.Instance](e.view, id)
	switch {
	case !ok:
		var all []string
		for _, i := range state.List[*resource.Instance](e.view) {
			all = append(all, string(i.ID))
		}
		return "", notFound("there is no instance %q in this region; instances: %s", id, someOf(all))
	case i.InterfaceID == "":
		return "", badRequest("instance %s is %s and has no interface", id, i.State)
	case i.State != resource.InstanceRunning:
		e.notes = append(e.notes, fmt.Sprintf("%s is %s: until it runs it sends and answers nothing", id, i.State))
	}
	if n := state.Count(e.view, func(n *resource.NetworkInterface) bool { return n.Attachment != nil && n.Attachment.InstanceID == i.ID }); n > 1 {
		e.notes = append(e.notes, fmt.Sprintf("%s has %d interfaces, and this is about the first: name an interface to ask about another", id, n))
	}
	return i.InterfaceID, nil
}

// known lists what there is to ask about.
func (e *ends) known() string {
	var functions []string
	for _, f := range state.List[*resource.Function](e.view) {
		functions = append(functions, f.Name)
	}
	slices.Sort(functions)
	interfaces := slices.Sorted(maps.Keys(e.topology.ENIs))
	return fmt.Sprintf("functions: %s; interfaces: %s", someOf(functions), someOf(interfaces))
}

// someOf lists the first few.
func someOf[T ~string](all []T) string {
	const enough = 8
	var out []string
	for _, s := range all[:min(enough, len(all))] {
		out = append(out, string(s))
	}
	switch {
	case len(all) == 0:
		return "none"
	case len(all) > enough:
		out = append(out, fmt.Sprintf("and %d more", len(all)-enough))
	}
	return strings.Join(out, ", ")
}

func (e *ends) fromInterface(id string) error {
	if e.topology.ENIs[resource.NetworkInterfaceID(id)] == nil {
		return notFound("there is no interface %q in this region; %s", id, e.known())
	}
	e.sources = []origin{{eni: resource.NetworkInterfaceID(id)}}
	return nil
}

// fromSubnet takes a workload that is there, or supposes one: with the groups that are asked about, or else with the
// VPC's default group.
func (e *ends) fromSubnet(id resource.SubnetID, groups []string) error {
	var subnets []resource.SubnetID
	for _, v := range e.topology.VPCs {
		for _, s := range v.Subnets {
			subnets = append(subnets, s.ID)
		}
		if v.Subnet(id) == nil {
			continue
		}
		for _, n := range v.ENIs {
			if len(groups) == 0 && n.SubnetID == id && (n.Type == resource.InterfaceTypeInterface || n.Type == resource.InterfaceTypeLambda) {
				e.sources = []origin{{eni: n.ID}}
				e.notes = append(e.notes, fmt.Sprintf("for %s this asks about %s, a workload there; others have other security groups (--security-group)", id, n.ID))
				return nil
			}
		}
		return e.suppose(v, id, groups)
	}
	return notFound("there is no subnet %q in this region; subnets: %s", id, someOf(subnets))
}

// suppose goes on with a network in which a workload is.
func (e *ends) suppose(v *topology.VPC, subnet resource.SubnetID, groups []string) error {
	var ids []resource.SecurityGroupID
	for _, g := range groups {
		ids = append(ids, resource.SecurityGroupID(g))
	}
	if len(ids) == 0 {
		for _, g := range v.SecurityGroups {
			if g.Name == "default" {
				ids = append(ids, g.ID)
			}
		}
	}
	t, err := topology.Suppose(e.topology, subnet, ids)
	if err != nil {
		return badRequest("a workload cannot be supposed: %s", err)
	}
	e.topology, e.sources = t, []origin{{eni: topology.Supposed}}
	e.notes = append(e.notes, fmt.Sprintf("nothing of the kind is in %s yet: this supposes a workload there with %s", subnet, someOf(ids)))
	return nil
}

// fromAddress finds whose it is. Private addresses may be in several VPCs.
func (e *ends) fromAddress(a netip.Addr) error {
	holders := e.holders(a)
	switch {
	case len(holders) > 1:
		return badRequest("%s is an address in several VPCs: ask about one of %s", a, someOf(holders))
	case len(holders) == 1:
		e.sources = []origin{{eni: holders[0]}}
		if n := e.topology.ENIs[holders[0]]; n.Has(a) {
			e.sources[0].address = a
		}
		return nil
	case a.IsPrivate():
		return notFound("no interface in this region has the address %s; %s", a, e.known())
	}
	e.sources = []origin{{address: a}}
	return nil
}

// holders are the interfaces with an address, private or public.
func (e *ends) holders(a netip.Addr) []resource.NetworkInterfaceID {
	var out []resource.NetworkInterfaceID
	for _, v := range e.topology.VPCs {
		for _, n := range v.ENIs {
			public := func(p topology.PublicAddress) bool { return p.Public == a }
			if n.Has(a) || slices.ContainsFunc(n.Public, public) {
				out = append(out, n.ID)
			}
		}
	}
	return out
}

// protocolNames are those that can be asked about.
var protocolNames = map[int]string{explain.TCP: "tcp", explain.UDP: "udp", explain.ICMP: "icmp"}

// traffic reads protocol= and port=.
func (e *ends) traffic(q url.Values) error {
	e.flow.Protocol = explain.TCP
	if p := strings.ToLower(q.Get("protocol")); p != "" {
		e.flow.Protocol = 0
		for number, name := range protocolNames {
			if p == name {
				e.flow.Protocol = number
			}
		}
		if e.flow.Protocol == 0 {
			return badRequest("protocol %q is not tcp, udp or icmp", p)
		}
	}
	inURL := e.flow.Port
	if p := q.Get("port"); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return badRequest("port %q is not between 1 and 65535", p)
		}
		e.flow.Port = uint16(n)
	}
	switch {
	case inURL != 0 && e.flow.Port != inURL:
		return badRequest("the URL says port %d, and --port %d", inURL, e.flow.Port)
	case e.flow.Protocol == explain.ICMP && (inURL != 0 || q.Get("port") != ""):
		return badRequest("icmp has no ports")
	case e.flow.Protocol == explain.ICMP:
		e.flow.ICMPType, e.flow.Port = 8, 0
	case e.flow.Port == 0:
		e.flow.Port = 443
	}
	return nil
}
