package explain

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// A new thing's id is not known before it is made. In commands it is a shell variable, in Terraform a reference.
const (
	newGatewayPrefix = "$IGW_"
	newGroupPrefix   = "$SG_"
	newNATPrefix     = "$NAT_"
	newSubnetPrefix  = "$SUBNET_"
	newTablePrefix   = "$RTB_"
	newPeering       = "$PCX"

	newEgressOnlyPrefix = "$EIGW_"
)

// newGateway stands for the id of a VPC's new internet gateway.
func newGateway(vpc resource.VPCID) resource.InternetGatewayID {
	return resource.InternetGatewayID(newGatewayPrefix + strings.TrimPrefix(string(vpc), "vpc-"))
}

// newGroup stands for the id of the group of a service's new endpoint.
func newGroup(service string) resource.SecurityGroupID {
	return resource.SecurityGroupID(newGroupPrefix + shellName(service))
}

// made is how Terraform refers to what another edit makes.
func made(id string) any {
	for prefix, kind := range map[string]string{
		newGatewayPrefix: "aws_internet_gateway.vpc_", newNATPrefix: "aws_nat_gateway.vpc_", newSubnetPrefix: "aws_subnet.public_", newTablePrefix: "aws_route_table.public_",
		newEgressOnlyPrefix: "aws_egress_only_internet_gateway.vpc_",
	} {
		if name, ok := strings.CutPrefix(id, prefix); ok {
			return reference(kind + name + ".id")
		}
	}
	if name, ok := strings.CutPrefix(id, newGroupPrefix); ok {
		return reference("aws_security_group.endpoint_" + strings.ToLower(name) + ".id")
	}
	if id == newPeering {
		return reference("aws_vpc_peering_connection.this.id")
	}
	return id
}

// isMade reports whether an id stands for a new thing's.
func isMade[T ~string](id T) bool { return strings.HasPrefix(string(id), "$") }

// shellName makes a variable's name out of another.
func shellName(s string) string { return strings.ToUpper(label(s)) }

// label makes a Terraform name out of another.
func label(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, s)
}

// quoted is an argument in quotes; in double ones if a variable is in it.
func quoted(s string) string {
	if strings.Contains(s, "$") {
		return `"` + s + `"`
	}
	return "'" + s + "'"
}

// inOrder puts what makes a thing before what uses it. A NAT gateway fails where no internet gateway is attached.
func inOrder(edits []Edit) []Edit {
	var out []Edit
	for _, e := range edits {
		if _, ok := e.(AttachGateway); ok {
			out = append(out, e)
		}
	}
	for _, e := range edits {
		if _, ok := e.(AttachGateway); !ok {
			out = append(out, e)
		}
	}
	for i := range out {
		first, _, _ := strings.Cut(out[i].Remedy().CLI, "\n")
		name, _, makes := strings.Cut(first, "=$(")
		if !makes || strings.Contains(name, " ") {
			continue
		}
		uses := func(e Edit) bool { return slices.Contains(variables(e.Remedy().CLI), name) }
		if at := slices.IndexFunc(out[:i], uses); at >= 0 {
			e := out[i]
			out = slices.Insert(slices.Delete(out, i, i+1), at, e)
		}
	}
	return out
}

// variables are the names after dollar signs.
func variables(script string) []string {
	var out []string
	for _, part := range strings.Split(script, "$")[1:] {
		end := strings.IndexFunc(part, func(r rune) bool { return label(string(r)) != string(r) })
		if end < 0 {
			end = len(part)
		}
		out = append(out, part[:end])
	}
	return out
}

// addInterface puts an interface with an address of its own into a subnet. It reports whether there is room. What AWS
// makes by itself has IPv4 addresses only, unless somebody asks for more.
func (d *draft) addInterface(v *topology.VPC, e *topology.ENI) bool {
	e.VPCID, e.SourceDestCheck = v.ID, true
	address := netip.IPv4Unspecified() // in a subnet that is not there
	if s := v.Subnet(e.SubnetID); s != nil {
		var ok bool
		if address, ok = v.FreeAddress(s.CIDR); !ok {
			return false
		}
	}
	e.Addresses = []netip.Addr{address}
	for i, p := range e.Public {
		e.Public[i] = topology.PublicAddress{Private: address, Public: p.Public}
	}
	at, found := slices.BinarySearchFunc(v.ENIs, e.ID, func(o *topology.ENI, id resource.NetworkInterfaceID) int {
		return strings.Compare(string(o.ID), string(id))
	})
	if found {
		return false
	}
	v.ENIs = slices.Insert(slices.Clone(v.ENIs), at, e)
	d.ownENIs()[e.ID] = e
	v.SecurityGroups = changed(v.SecurityGroups, func(g *topology.SecurityGroup) bool { return slices.Contains(e.GroupIDs, g.ID) }, func(g *topology.SecurityGroup) {
		g.Members = append(slices.Clone(g.Members), address)
	})
	return true
}
