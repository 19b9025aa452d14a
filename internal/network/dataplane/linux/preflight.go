package linux

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"golang.org/x/sys/unix"
)

// Preflight finds out whether this kernel, with this process's rights, can do all that a data plane needs, by
// doing it once on a small network that is gone afterwards. Its error names what did not work and what helps.
func Preflight(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	d, err := New(Config{})
	if err != nil {
		return withRemedy("make a network namespace with rules", err)
	}
	defer d.Close()
	if err := d.Apply(ctx, preflightTopology()); err != nil {
		return withRemedy("make a VPC", err)
	}
	if err := d.roundTrip(ctx, "eni-a", "eni-b"); err != nil {
		return withRemedy("send a packet through a VPC and back", err)
	}
	return nil
}

// roundTrip connects two interfaces.
func (d *Driver) roundTrip(ctx context.Context, from, to resource.NetworkInterfaceID) error {
	l, err := d.Listen(ctx, dataplane.Place{ENI: to}, "tcp", 80)
	if err != nil {
		return err
	}
	defer l.Close()
	a, err := d.Attach(ctx, dataplane.Seat{ENI: from})
	if err != nil {
		return err
	}
	defer a.Close()
	c, err := a.Dial(ctx, "tcp", l.Addr().String())
	if err != nil {
		return err
	}
	return c.Close()
}

// preflightTopology uses one of each form of a rule: sets, intervals, translations, connection tracking.
func preflightTopology() *topology.Topology {
	const id = "vpc-preflight"
	all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	at := func(last byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, last}) }
	interfaceAt := func(name string, last byte) *topology.ENI {
		return &topology.ENI{ID: resource.NetworkInterfaceID(name), VPCID: id, SubnetID: "subnet-a", Type: resource.InterfaceTypeInterface,
			Addresses: []netip.Addr{at(last)}, MAC: fmt.Sprintf("02:00:00:00:00:%02x", last), GroupIDs: []resource.SecurityGroupID{"sg-a"}, SourceDestCheck: true}
	}
	a, b, n := interfaceAt("eni-a", 10), interfaceAt("eni-b", 11), interfaceAt("eni-n", 12)
	n.Type, n.GroupIDs, n.Public = resource.InterfaceTypeNATGateway, nil, []topology.PublicAddress{{Private: at(12), Public: netip.AddrFrom4([4]byte{198, 51, 100, 1})}}
	tcp := topology.Rule{Protocol: unix.IPPROTO_TCP, FromPort: 80, ToPort: 90, GroupID: "sg-a"}
	list := topology.Rule{Protocol: unix.IPPROTO_ICMP, FromPort: 8, ToPort: -1, PrefixListID: "pl-a"}
	entry := topology.Entry{Number: 100, Allow: true, Protocol: resource.AllProtocols, CIDR: all}
	block := netip.PrefixFrom(at(0), 24)
	return &topology.Topology{VPCs: []*topology.VPC{{
		ID: id, CIDRs: []netip.Prefix{block}, Resolver: at(2), InternetGateway: "igw-a",
		Subnets: []*topology.Subnet{{ID: "subnet-a", CIDR: block, NetworkACLID: "acl-a", Routes: []topology.Route{
			{Destination: block, Kind: topology.TargetLocal}, {Destination: all, Kind: topology.TargetInternetGateway, TargetID: "igw-a"}}}},
		ENIs: []*topology.ENI{a, b, n},
		SecurityGroups: []*topology.SecurityGroup{{ID: "sg-a", Ingress: []topology.Rule{tcp}, Egress: []topology.Rule{tcp, list},
			Members: []netip.Addr{at(10), at(11)}}},
		NetworkACLs: []*topology.NetworkACL{{ID: "acl-a", Ingress: []topology.Entry{entry}, Egress: []topology.Entry{entry}}},
		PrefixLists: []*topology.PrefixList{{ID: "pl-a", Prefixes: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, 0}), 24)}}},
		NATGateways: []*topology.NATGateway{{ID: "nat-a", SubnetID: "subnet-a", ENI: "eni-n", Public: true}},
	}}}
}

// withRemedy adds what helps to what did not work.
func withRemedy(what string, err error) error {
	return fmt.Errorf("this system cannot run a VPC: %s: %w", what, Explain(err))
}

// Explain adds to an error of the network what helps, if that is known.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	if helps := remedy(err, readFile); helps != "" {
		return fmt.Errorf("%w: %s", err, helps)
	}
	return err
}

func remedy(err error, read func(string) string) string {
	var path *os.PathError
	switch {
	case errors.Is(err, unix.ENOSPC):
		return "the limit of network namespaces is reached; raise user.max_net_namespaces"
	case errors.Is(err, unix.ENOMEM):
		return "no memory for network namespaces, of which each takes about a third of a megabyte in the kernel"
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return "raise the limit of open files (ulimit -Hn; LimitNOFILE= of a service), of which every interface takes two or three"
	case errors.As(err, &path) && strings.HasPrefix(path.Path, "/proc/sys/") && errors.Is(err, unix.ENOENT):
		return "the kernel lacks a network feature (" + path.Path + "); connection tracking and nftables are needed"
	case errors.As(err, &path) && strings.HasPrefix(path.Path, "/proc/sys/"):
		return "network settings are read-only; in a container run it with --security-opt systempaths=unconfined, or --privileged"
	case errors.Is(err, unix.EPERM) && read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
		return "this system restricts user namespaces by AppArmor (Ubuntu 23.10 and later): run it as root, or `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
	case errors.Is(err, unix.EPERM):
		return "both CAP_SYS_ADMIN and CAP_NET_ADMIN are needed: run it as root or, in a container, with --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
	case strings.Contains(read("/proc/sys/kernel/osrelease"), "microsoft") && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT)):
		return "this kernel of WSL lacks nftables features; run `wsl --update` for 5.15.90 or later"
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EPROTONOSUPPORT):
		return "the kernel lacks a feature; needed are veth, nftables with inet tables, connection tracking and NAT, and policy routing (kernel 5.15 or later with the usual modules)"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "packets do not pass; a busy machine may be the reason, or a kernel module that interferes"
	}
	return ""
}

func readFile(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
