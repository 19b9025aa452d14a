package region_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/region"
)

var interfaces = flag.Int("region.interfaces", 40, "interfaces of TestManyInterfacesAndEqualNetworks")

// TestManyInterfacesAndEqualNetworks makes one crowded VPC beside twenty with the same addresses, and changes
// what concerns every interface.
func TestManyInterfacesAndEqualNetworks(t *testing.T) {
	_, c := open(t, region.Config{})
	code := packed(t, bootstrap)
	if err := makeRole(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	base := resident(t)
	crowded, err := makeSet(t.Context(), c, "crowded", code)
	if err != nil {
		t.Fatal(err)
	}
	var wide set
	if err := c.Query(t.Context(), "ec2", "CreateSubnet", &wide, "VpcId", crowded.VPC, "CidrBlock", "10.0.16.0/20"); err != nil {
		t.Fatal(err)
	}
	start, slowest := time.Now(), time.Duration(0)
	for range *interfaces {
		begin := time.Now()
		if err := c.Query(t.Context(), "ec2", "CreateNetworkInterface", nil, "SubnetId", wide.Subnet, "SecurityGroupId.1", crowded.Group); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(begin))
	}
	t.Logf("%d interfaces: %v each, slowest %v, %d KB resident more", *interfaces, time.Since(start)/time.Duration(*interfaces), slowest, resident(t)-base)
	start = time.Now()
	if err := c.Query(t.Context(), "ec2", "AuthorizeSecurityGroupIngress", nil, "GroupId", crowded.Group,
		"IpPermissions.1.IpProtocol", "tcp", "IpPermissions.1.FromPort", "443", "IpPermissions.1.ToPort", "443", "IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/8"); err != nil {
		t.Fatal(err)
	}
	t.Logf("a rule for all of them: %v", time.Since(start))
	if err := crowded.reach(t.Context(), c); err != nil {
		t.Error(err)
	}
	start = time.Now()
	equal := make([]set, 20)
	for i := range equal {
		if equal[i], err = makeSet(t.Context(), c, fmt.Sprint("equal", i), code); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("20 equal networks with endpoint and function: %v", time.Since(start))
	start = time.Now()
	for _, s := range equal {
		if err := s.reach(t.Context(), c); err != nil {
			t.Error(err)
		}
	}
	t.Logf("a cold invocation in each: %v; %d KB resident in all, %v", time.Since(start), resident(t), measure(t))
}

// resident is the memory of this process, in KB.
func resident(t *testing.T) (kb int) {
	t.Helper()
	measure(t) // gives back what is free
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			return kb
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
