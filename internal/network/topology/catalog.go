package topology

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// serviceBlock holds the public addresses of the services that have no prefix list. The internet of a region is
// closed, so which addresses its services have is ours to choose; they are plausible ones, and S3's lie in the
// blocks of its prefix list, because that can be seen.
const serviceBlock = "54.240.248.0/22"

// Catalog returns the services with a public face in a region, ordered by name.
func Catalog(region string) []*PublicService {
	base := region + ".amazonaws.com"
	_, s3 := S3Prefixes(region)
	out := []*PublicService{
		publicService("ec2", serviceAddresses(1), "ec2."+base),
		publicService("elasticloadbalancing", serviceAddresses(11), "elasticloadbalancing."+base),
		publicService("iam", serviceAddresses(2), "iam.amazonaws.com"),
		publicService("lambda", serviceAddresses(3), "lambda."+base, "*.lambda-url."+region+".on.aws"),
		publicService("logs", serviceAddresses(4), "logs."+base),
		withIPv6(publicService("s3", s3Addresses(s3), s3Names(base)...), "s3.dualstack."+base),
		publicService("sts", serviceAddresses(5), "sts."+base, "sts.amazonaws.com"),
	}
	out = append(out, reachableOnly(region, out)...)
	slices.SortFunc(out, func(a, b *PublicService) int { return cmp.Compare(a.Service, b.Service) })
	return out
}

// s3Names: each name itself and every one below it, which are buckets or, for S3 Control, accounts.
func s3Names(base string) []string {
	var out []string
	for _, n := range []string{
		"s3." + base, "s3.dualstack." + base, "s3.amazonaws.com", "s3-control." + base, "s3-accesspoint." + base,
	} {
		out = append(out, n, "*."+n)
	}
	return out
}

// withIPv6 gives a name, and what is below it, addresses of both families. The other names have IPv4 only, as on AWS.
func withIPv6(s *PublicService, name string) *PublicService {
	for i, n := range s.Names {
		if strings.TrimPrefix(n.Pattern, "*.") == name {
			s.Names[i].Addresses = slices.Concat(n.Addresses, mapped(n.Addresses))
		}
	}
	return s
}

// mapped are IPv6 addresses of S3's, which hold its IPv4 ones, as those on AWS do.
func mapped(all []netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, a := range all {
		b := netip.MustParseAddr("2600:1fa0:4000:8049::").As16()
		copy(b[8:], a.AsSlice())
		out = append(out, netip.AddrFrom16(b))
	}
	return out
}

func publicService(service string, addresses []netip.Addr, patterns ...string) *PublicService {
	s := &PublicService{Service: service}
	slices.Sort(patterns)
	for _, p := range patterns {
		s.Names = append(s.Names, Name{Pattern: p, Addresses: addresses})
	}
	return s
}

func serviceAddresses(number int) []netip.Addr {
	a := netip.MustParsePrefix(serviceBlock).Addr().As4()
	a[2] += byte(number % 4)
	a[3] = byte(number%16*16 + number/16*4)
	first := netip.AddrFrom4(a)
	return []netip.Addr{first, first.Next()}
}

// s3Addresses takes two addresses out of each of the two largest blocks.
func s3Addresses(blocks []netip.Prefix) []netip.Addr {
	largest := slices.Clone(blocks)
	slices.SortStableFunc(largest, func(a, b netip.Prefix) int { return cmp.Compare(a.Bits(), b.Bits()) })
	var out []netip.Addr
	for _, p := range largest[:min(2, len(largest))] {
		a := p.Masked().Addr().As4()
		for _, last := range []byte{73, 201} {
			out = append(out, netip.AddrFrom4([4]byte{a[0], a[1], a[2] | 0x31, last}))
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}

// S3Prefixes are the id and the blocks of AWS's prefix list for S3.
func S3Prefixes(region string) (resource.PrefixListID, []netip.Prefix) {
	return awsPrefixes(region, "s3")
}

// AWSPrefixLists are the lists that AWS manages in a region: those of the services with gateway endpoints.
func AWSPrefixLists(region string) []*resource.PrefixList {
	var out []*resource.PrefixList
	for _, service := range []string{"dynamodb", "s3"} {
		id, blocks := awsPrefixes(region, service)
		p := &resource.PrefixList{
			ID: id, Name: "com.amazonaws." + region + "." + service, Version: 1,
			MaxEntries: len(blocks), AWSManaged: true,
		}
		for _, b := range blocks {
			p.Entries = append(p.Entries, resource.PrefixListEntry{CIDR: b})
		}
		out = append(out, p)
	}
	return out
}

// awsPrefixes has what is known of the real lists, and for the rest an id made from the region's name and
// blocks that S3 and DynamoDB have in other regions. The real ones change from time to time.
func awsPrefixes(region, service string) (resource.PrefixListID, []netip.Prefix) {
	ids := map[string]resource.PrefixListID{
		"us-west-2/s3": "pl-68a54001", "us-west-2/dynamodb": "pl-00a54069",
		"us-east-1/s3": "pl-63a5400a", "us-east-1/dynamodb": "pl-02cd2c6b",
		"us-east-2/s3": "pl-7ba54012", "us-west-1/s3": "pl-6ba54002",
		"eu-west-1/s3": "pl-6da54004", "eu-central-1/s3": "pl-6ea54007",
	}
	blocks := map[string]string{
		"us-west-2/s3": "3.5.76.0/22 3.5.80.0/21 16.12.96.0/21 16.15.32.0/20 18.34.48.0/20 18.34.244.0/22 " +
			"35.80.36.208/28 35.80.36.224/28 52.92.128.0/17 52.218.128.0/17",
		"us-west-2/dynamodb": "52.94.10.0/24 52.94.28.0/23",
		"us-east-1/s3": "3.5.0.0/19 16.15.176.0/20 16.15.192.0/18 16.182.0.0/16 18.34.0.0/19 18.34.232.0/21 " +
			"52.216.0.0/15 54.231.0.0/16",
		"us-east-1/dynamodb": "3.218.180.0/22 52.94.0.0/22 52.119.224.0/20",
		"s3":                 "52.218.0.0/17 52.219.0.0/16",
		"dynamodb":           "52.119.240.0/21",
	}
	key := region + "/" + service
	id, ok := ids[key]
	if !ok {
		h := fnv.New32a()
		_, _ = h.Write([]byte(key)) // never fails: see hash.Hash
		id = resource.PrefixListID(fmt.Sprintf("pl-%08x", h.Sum32()))
	}
	text, ok := blocks[key]
	if !ok {
		text = blocks[service]
	}
	var out []netip.Prefix
	for _, b := range strings.Fields(text) {
		out = append(out, netip.MustParsePrefix(b))
	}
	return id, out
}
