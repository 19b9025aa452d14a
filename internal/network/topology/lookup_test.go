package topology

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// summary is an answer in a few words.
func summary(a Answer) string {
	switch {
	case a.Timeout:
		return "timeout"
	case a.NXDomain:
		return "nxdomain from " + string(a.Source)
	case a.Pointer != "":
		return a.Pointer
	}
	return strings.TrimSpace(fmt.Sprintf("%s %v %s", a.Source, a.Addresses, a.EndpointID))
}

func TestNamesResolveAsInAWS(t *testing.T) {
	resources := append(append(article(), publicSubnet()...), interfaceEndpoint(nil)...)
	resources = append(resources,
		&resource.Address{
			AllocationID: "eipalloc-2", PublicIP: ip("34.210.0.9"), NetworkInterfaceID: "eni-fn", PrivateIP: ip("10.0.1.10"),
		},
		&resource.VPC{ID: "vpc-2", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.0.0.0/16")}}, EnableDNSSupport: true},
		&resource.VPC{ID: "vpc-3", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.0.0.0/16")}}})
	top := Resolve(store(t, resources...).View(), Options{})
	s3 := "public [52.92.177.73 52.92.177.201 52.218.177.73 52.218.177.201]"
	private := "private zone [10.0.1.20] vpce-0a"
	tests := []struct {
		vpc  resource.VPCID
		name string
		want string
	}{
		{"vpc-1", "s3.us-west-2.amazonaws.com", private},
		{"vpc-1", "My-Bucket.S3.us-west-2.amazonaws.com.", private},
		{"vpc-1", "a.b.s3.us-west-2.amazonaws.com", private},
		{"vpc-1", "000000000000.s3-control.us-west-2.amazonaws.com", private},
		{"vpc-1", "my-bucket.s3.amazonaws.com", s3},
		{"vpc-1", "s3.dualstack.us-west-2.amazonaws.com", s3},
		{"vpc-1", "xs3.us-west-2.amazonaws.com", "nxdomain from none"},
		{"vpc-1", "sts.us-west-2.amazonaws.com", "public [54.240.249.80 54.240.249.81]"},
		{"vpc-2", "my-bucket.s3.us-west-2.amazonaws.com", s3},
		{"vpc-2", "bucket.vpce-0a-ab12cd34.s3.us-west-2.vpce.amazonaws.com", "endpoint name [10.0.1.20] vpce-0a"},
		{"", "x.bucket.vpce-0a-ab12cd34-us-west-2a.s3.us-west-2.vpce.amazonaws.com", "endpoint name [10.0.1.20] vpce-0a"},
		{"", "vpce-0a-ab12cd34.s3.us-west-2.vpce.amazonaws.com", "nxdomain from none"},
		{"", "my-bucket.s3.us-west-2.amazonaws.com", s3},
		{"vpc-3", "my-bucket.s3.us-west-2.amazonaws.com", "timeout"},
		{"vpc-none", "s3.us-west-2.amazonaws.com", "timeout"},
		{"vpc-1", "ip-10-0-1-10.us-west-2.compute.internal", "private host name [10.0.1.10]"},
		{"vpc-1", "ip-10-0-1-99.us-west-2.compute.internal", "nxdomain from private host name"},
		{"vpc-1", "us-west-2.compute.internal", "private host name []"},
		{"vpc-2", "ip-10-0-1-10.us-west-2.compute.internal", "nxdomain from none"},
		{"", "ip-10-0-1-10.us-west-2.compute.internal", "nxdomain from none"},
		{"vpc-1", "ec2-34-210-0-9.us-west-2.compute.amazonaws.com", "public host name [10.0.1.10]"},
		{"vpc-2", "ec2-34-210-0-9.us-west-2.compute.amazonaws.com", "public host name [34.210.0.9]"},
		{"", "ec2-34-210-0-8.us-west-2.compute.amazonaws.com", "nxdomain from none"},
		{"vpc-1", "10.1.0.10.in-addr.arpa", "ip-10-0-1-10.us-west-2.compute.internal"},
		{"vpc-1", "11.1.0.10.in-addr.arpa", "nxdomain from reverse name"},
		{"vpc-1", "example.com", "nxdomain from none"},
		{"vpc-1", "", "nxdomain from none"},
		{"vpc-1", strings.Repeat("-", 300) + ".us-west-2.compute.internal", "nxdomain from private host name"},
	}
	for _, tt := range tests {
		if got := summary(Lookup(top, tt.vpc, tt.name)); got != tt.want {
			t.Errorf("%s in %q: %s, want %s", tt.name, tt.vpc, got, tt.want)
		}
	}
}

func TestAPrivateZoneShadowsWhatItDoesNotHave(t *testing.T) {
	resources := append(article(), interfaceEndpoint(func(e *resource.VPCEndpoint) {
		e.ServiceName = "com.amazonaws.us-west-2.logs"
	})...)
	top := Resolve(store(t, resources...).View(), Options{})
	if got := summary(Lookup(top, "vpc-1", "logs.us-west-2.amazonaws.com")); got != "private zone [10.0.1.20] vpce-0a" {
		t.Errorf("the zone's own name: %s", got)
	}
	if got := summary(Lookup(top, "vpc-1", "x.logs.us-west-2.amazonaws.com")); got != "nxdomain from private zone" {
		t.Errorf("a name below it: %s", got)
	}
}

func TestEveryAnswerIsExactlyOneOfThree(t *testing.T) {
	top := Resolve(store(t, append(article(), interfaceEndpoint(nil)...)...).View(), Options{})
	for _, name := range []string{"s3.us-west-2.amazonaws.com", "nothing", "in-addr.arpa", "us-west-2.compute.internal", "."} {
		a := Lookup(top, "vpc-1", name)
		n := 0
		for _, b := range []bool{a.Found, a.NXDomain, a.Timeout} {
			if b {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestOnlyS3sPublicAddressesAreInItsPrefixList(t *testing.T) {
	for _, region := range []string{"us-west-2", "us-east-1", "eu-west-1", "ap-nowhere-9"} {
		id, blocks := S3Prefixes(region)
		if !strings.HasPrefix(string(id), "pl-") || len(id) != len("pl-68a54001") {
			t.Errorf("%s: prefix list id %q", region, id)
		}
		all := map[netip.Addr]string{}
		for _, s := range Catalog(region) {
			for _, a := range s.Names[0].Addresses {
				if other := all[a]; other != "" {
					t.Errorf("%s: %s belongs to %s and %s", region, a, other, s.Service)
				}
				all[a] = s.Service
				in := slices.ContainsFunc(blocks, func(p netip.Prefix) bool { return p.Contains(a) })
				if in != (s.Service == "s3") || a.IsPrivate() {
					t.Errorf("%s: %s of %s, in S3's list: %t", region, a, s.Service, in)
				}
			}
		}
	}
}
