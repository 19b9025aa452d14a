package linux

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/culvert-cloud/culvert/internal/netns"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// instanceTable is the table that interfaces of instances have.
const instanceTable = "instance"

// metadataService is where an instance asks about itself: on port 80, from where questions are led to the listener.
func metadataService() netip.AddrPort { return netip.MustParseAddrPort(dataplane.MetadataListener) }

// prepareInstance makes an interface's namespace one of an instance. Doing it again is fine.
func prepareInstance(ns *netns.NS) error {
	if err := ns.Sysctl("net.ipv4.ip_unprivileged_port_start=0"); err != nil {
		return err
	}
	err := withLinks(ns, func(h *netlink.Handle) error {
		lo, err := h.LinkByName("lo")
		if err != nil {
			return fmt.Errorf("find loopback: %w", err)
		}
		return addAddress(h, lo, netip.PrefixFrom(metadataService().Addr(), 32))
	})
	if err != nil {
		return err
	}
	n := newNFT(ns)
	defer n.close()
	return n.commit(difference(instanceTable, nil, instanceRules()))
}

// instanceRules lead questions to the metadata service, and let nobody ask from outside.
func instanceRules() *ruleset {
	r := &ruleset{}
	c := &compiler{rules: r}
	service := netip.PrefixFrom(metadataService().Addr(), 32)
	c.chain("ask", &hook{"nat", "output", unix.NF_INET_LOCAL_OUT, -100, expr.VerdictAccept},
		makeRule(destinationIn(service), protocol(unix.IPPROTO_TCP), destinationPorts(80, 80), translatePort(metadataService())))
	c.chain("keep_out", input(expr.VerdictAccept), makeRule(inputPrefix("eth"), destinationIn(service), counter(), drop()))
	return r
}

// translatePort rewrites the destination.
func translatePort(to netip.AddrPort) part {
	return part{"dnat ip to " + to.String(), []expr.Any{
		&expr.Immediate{Register: register, Data: addressKey(to.Addr())},
		&expr.Immediate{Register: 2, Data: binary.BigEndian.AppendUint16(nil, to.Port())},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: register, RegProtoMin: 2},
	}}
}
