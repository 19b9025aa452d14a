package topology

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// BenchmarkResolve is what every change costs before the kernel hears of it: 1,000 interfaces in ten subnets.
func BenchmarkResolve(b *testing.B) {
	s, err := state.Open(state.Config{Region: "us-west-2", Account: "000000000000"})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.Update(func(tx *state.Tx) error {
		for _, r := range append(append(article(), publicSubnet()...), gatewayEndpoint("rtb-private")) {
			tx.Put(r)
		}
		for i := range 1000 {
			subnet := resource.SubnetID(fmt.Sprintf("subnet-%d", i%10))
			tx.Put(&resource.Subnet{
				ID: subnet, VPCID: "vpc-1", NetworkACLID: "acl-1",
				CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(10 + i%10), 0}), 24),
			})
			tx.Put(&resource.NetworkInterface{
				ID: resource.NetworkInterfaceID(fmt.Sprintf("eni-%04d", i)), VPCID: "vpc-1", SubnetID: subnet,
				PrivateIPs: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, byte(10 + i%10), byte(4 + i/10)})},
				GroupIDs:   []resource.SecurityGroupID{"sg-fn"}, SourceDestCheck: true,
			})
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	view := s.View()
	for b.Loop() {
		if t := Resolve(view, Options{}); len(t.ENIs) < 1000 {
			b.Fatal(len(t.ENIs))
		}
	}
}
