package inspect

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// twins are two VPCs with equal blocks, each with an interface of the same address, and a function called like a
// service.
func twins(t *testing.T) Config {
	t.Helper()
	c := world(t)
	if _, err := c.Store.Update(func(tx *state.Tx) error {
		block := netip.MustParsePrefix("10.0.0.0/16")
		tx.Put(&resource.VPC{ID: "vpc-2", CIDRs: []resource.VPCCIDR{{Prefix: block}}})
		tx.Put(&resource.Subnet{ID: "subnet-2", VPCID: "vpc-2", CIDR: netip.MustParsePrefix("10.0.1.0/24")})
		tx.Put(&resource.Subnet{ID: "subnet-3", VPCID: "vpc-2", CIDR: netip.MustParsePrefix("10.0.3.0/24")})
		tx.Put(&resource.NetworkInterface{ID: "eni-2", VPCID: "vpc-2", SubnetID: "subnet-2", InterfaceType: resource.InterfaceTypeInterface,
			PrivateIPs: []netip.Addr{netip.MustParseAddr("10.0.1.4"), netip.MustParseAddr("10.0.1.5")}})
		tx.Put(&resource.Address{AllocationID: "eipalloc-2", PublicIP: netip.MustParseAddr("34.210.0.9"), NetworkInterfaceID: "eni-2"})
		tx.Put(&resource.Function{Name: "sts"})
		tx.Put(&resource.Instance{ID: "i-1", State: resource.InstanceRunning, InterfaceID: "eni-2"})
		tx.Put(&resource.Instance{ID: "i-2", State: resource.InstanceTerminated})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEverySourceAndDestinationIsUnderstood(t *testing.T) {
	c := twins(t)
	for ask, want := range map[string]struct{ code, says string }{
		"private > s3":          {"NO_ROUTE_TO_DESTINATION", "eni-1"},
		"function:private > s3": {"NO_ROUTE_TO_DESTINATION", "eni-1"},
		"eni-1 > internet":      {"NO_ROUTE_TO_DESTINATION", "the internet on TCP 443"},
		"subnet-1 > https://s3.us-west-2.amazonaws.com/x": {"NO_ROUTE_TO_DESTINATION", "TCP 443"},
		"subnet-1 > http://192.0.2.1":                     {"NO_ROUTE_TO_DESTINATION", "192.0.2.1 on TCP 80"},
		"subnet-1 > tcp://192.0.2.1:5432":                 {"NO_ROUTE_TO_DESTINATION", "192.0.2.1 on TCP 5432"},
		"10.0.1.5 > 10.0.1.9":                             {"SG_HAS_NO_RULES", "eni-2 (10.0.1.5)"},
		"34.210.0.9 > s3":                                 {"x:DNS_NO_ANSWER", "eni-2"},
		"internet > eni-2":                                {"IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", "34.210.0.9"},
		"8.8.8.8 > eni-1":                                 {"x:FUNCTION_NOT_IN_VPC", "10.0.1.4"},
		"private > 10.0.1.5":                              {"NO_POSSIBLE_DESTINATION", "vpc-1"},
		"public > function:private":                       {"x:FUNCTION_NOT_IN_VPC", "10.0.1.4"},
		"i-1 > 10.0.1.9":                                  {"SG_HAS_NO_RULES", "eni-2 (10.0.1.4)"},
		"internet > i-1":                                  {"IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", "34.210.0.9"},
		"public > s3":                                     {"", "reaches"},
	} {
		from, to, _ := strings.Cut(ask, " > ")
		status, answer := askEnds(t, c, from, to, "")
		code, _ := answer["code"].(string)
		summary, _ := answer["summary"].(string)
		if status != 200 || code != want.code || !strings.Contains(summary, want.says) {
			t.Errorf("%s: %d %v, code %q, %s", ask, status, answer["error"], code, summary)
		}
	}
}

func TestUnknownAndAmbiguousEndsAreRefusedWithWhatThereIs(t *testing.T) {
	c := twins(t)
	for ask, want := range map[string]struct {
		status int
		says   string
	}{
		"10.0.1.4 > s3":                        {400, "10.0.1.4 is an address in several VPCs: ask about one of eni-1, eni-2"},
		"10.9.9.9 > s3":                        {404, "no interface in this region has the address 10.9.9.9; functions: private, public, sts; interfaces: eni-1, eni-2"},
		"nobody > s3":                          {404, `no function "nobody" in this region; functions: private, public, sts`},
		"eni-9 > s3":                           {404, "interfaces: eni-1, eni-2"},
		"subnet-9 > s3":                        {404, "subnets: subnet-1, subnet-2, subnet-3"},
		"subnet-3 > s3?group=sg-9":             {400, `there is no security group "sg-9" in vpc-2`},
		"private > s3?group=sg-9":              {400, "for a subnet only"},
		"private > sts":                        {400, "is a service and a function: ask for function:sts or for sts.us-west-2.amazonaws.com"},
		"private > nobody":                     {404, "no service of this region (ec2, "},
		"private > function:nobody":            {404, "functions: private, public, sts"},
		"private > function:public":            {400, "function public is in no VPC"},
		"i-9 > s3":                             {404, "instances: i-1, i-2"},
		"private > i-2":                        {400, "instance i-2 is terminated and has no interface"},
		"private > eni-9":                      {404, "interfaces: eni-1, eni-2"},
		"private > ftp://x.example":            {400, "whose port is not known"},
		"eni-2 > private":                      {400, "10.0.1.4 means eni-2: nothing can be sent to eni-1 from there"},
		"private > https://h.example:0":        {400, "port"},
		"internet > internet":                  {400, "both ends"},
		"private > https://h.example?port=80":  {400, "the URL says port 443, and --port 80"},
		"private > s3?protocol=gre":            {400, `"gre" is not tcp, udp or icmp`},
		"private > s3?protocol=icmp&port=7":    {400, "icmp has no ports"},
		"private > s3?port=65536&protocol=udp": {400, "between 1 and 65535"},
		" > s3":                                {400, "say who"},
		"private > ":                           {400, "say where"},
	} {
		from, to, _ := strings.Cut(ask, " > ")
		to, more, _ := strings.Cut(to, "?")
		status, answer := askEnds(t, c, from, to, more)
		text, _ := answer["error"].(string)
		if status != want.status || !strings.Contains(text, want.says) {
			t.Errorf("%s: %d %q, want %d and %q", ask, status, text, want.status, want.says)
		}
	}
}

func askEnds(t *testing.T, c Config, from, to, more string) (int, map[string]any) {
	t.Helper()
	q := url.Values{"source": {from}, "service": {to}}
	return ask(t, c, "GET", "/_culvert/why?"+q.Encode()+"&"+more)
}

func TestAnInstanceWithSeveralInterfacesIsAskedAboutTheFirst(t *testing.T) {
	c := twins(t)
	if _, err := c.Store.Update(func(tx *state.Tx) error {
		for i, id := range []resource.NetworkInterfaceID{"eni-2", "eni-3"} {
			tx.Put(&resource.NetworkInterface{ID: id, VPCID: "vpc-2", SubnetID: "subnet-2", InterfaceType: resource.InterfaceTypeInterface,
				PrivateIPs: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 1, byte(4 + i)})}, Attachment: &resource.Attachment{InstanceID: "i-1", DeviceIndex: i}})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, answer := askEnds(t, c, "i-1", "10.0.1.9", "")
	if summary, notes := answer["summary"].(string), fmt.Sprint(answer["notes"]); !strings.Contains(summary, "eni-2") || !strings.Contains(notes, "i-1 has 2 interfaces, and this is about the first") {
		t.Errorf("%s; notes %s", summary, notes)
	}
}
