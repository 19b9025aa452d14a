package dns

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/culvert-cloud/culvert/internal/network/topology"
)

// network is a VPC with an S3 endpoint that has private DNS and as many interfaces as asked for.
func network(interfaces int) *topology.Topology {
	vpc := &topology.VPC{
		ID: "vpc-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")},
		DNSSupport: true, DNSHostnames: true, DomainName: "us-west-2.compute.internal",
	}
	var all []netip.Addr
	for i := range interfaces {
		ip := netip.AddrFrom4([4]byte{10, 0, 1, byte(10 + i)})
		all = append(all, ip)
		vpc.ENIs = append(vpc.ENIs, &topology.ENI{ID: "eni-1", VPCID: "vpc-1", Addresses: []netip.Addr{ip}})
	}
	e := &topology.Endpoint{ID: "vpce-1", Service: "s3", PrivateDNS: true}
	for _, n := range topology.PrivateNames("us-west-2", "s3") {
		e.Names = append(e.Names, topology.Name{Pattern: n, Addresses: all})
	}
	vpc.Endpoints = []*topology.Endpoint{e}
	silent := &topology.VPC{ID: "vpc-silent"}
	return &topology.Topology{
		Region: "us-west-2", VPCs: []*topology.VPC{vpc, silent}, Services: topology.Catalog("us-west-2"),
	}
}

func ask(name string, qtype uint16) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), qtype)
	return m
}

func addresses(m *dns.Msg) []string {
	var out []string
	for _, r := range m.Answer {
		if a, ok := r.(*dns.A); ok {
			out = append(out, a.A.String())
		}
	}
	return out
}

// start serves a network on the loopback and returns where.
func start(t testing.TB, c Config) (address string) {
	t.Helper()
	packet, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = packet.LocalAddr().String()
	stream, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c.Packet, c.Stream = packet, stream
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, c) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return address
}

func TestQuestionsAreAnsweredOverBothTransports(t *testing.T) {
	top := network(1)
	address := start(t, Config{VPC: "vpc-1", Topology: func() *topology.Topology { return top }})
	for _, transport := range []string{"udp", "tcp"} {
		client := &dns.Client{Net: transport, Timeout: 5 * time.Second}
		m, _, err := client.Exchange(ask("My-Bucket.s3.us-west-2.amazonaws.com", dns.TypeA), address)
		if err != nil {
			t.Fatalf("%s: %v", transport, err)
		}
		if got := addresses(m); !slices.Equal(got, []string{"10.0.1.10"}) || !m.RecursionAvailable {
			t.Errorf("%s: %v", transport, m)
		}
		if name := m.Answer[0].Header().Name; name != "My-Bucket.s3.us-west-2.amazonaws.com." {
			t.Errorf("%s: the answer is about %q, not the name as it was asked", transport, name)
		}
	}
}

func TestADisabledResolverKeepsSilent(t *testing.T) {
	top := network(1)
	address := start(t, Config{VPC: "vpc-silent", Topology: func() *topology.Topology { return top }})
	client := &dns.Client{Timeout: 100 * time.Millisecond}
	if m, _, err := client.Exchange(ask("s3.us-west-2.amazonaws.com", dns.TypeA), address); err == nil {
		t.Errorf("answered %v, want silence", m)
	}
	client.Net = "tcp"
	if m, _, err := client.Exchange(ask("s3.us-west-2.amazonaws.com", dns.TypeA), address); err == nil {
		t.Errorf("answered %v over TCP, want silence", m)
	}
}

func TestTypesAndNamesThatDoNotExist(t *testing.T) {
	top := network(1)
	tests := []struct {
		name    string
		qtype   uint16
		rcode   int
		answers int
		soa     string
	}{
		{"s3.us-west-2.amazonaws.com", dns.TypeA, dns.RcodeSuccess, 1, ""},
		{"s3.us-west-2.amazonaws.com", dns.TypeAAAA, dns.RcodeSuccess, 0, "s3.us-west-2.amazonaws.com."},
		{"s3.dualstack.us-west-2.amazonaws.com", dns.TypeAAAA, dns.RcodeSuccess, 4, ""},
		{"sts.us-west-2.amazonaws.com", dns.TypeAAAA, dns.RcodeSuccess, 0, "amazonaws.com."},
		{"s3.us-west-2.amazonaws.com", dns.TypeMX, dns.RcodeSuccess, 0, "s3.us-west-2.amazonaws.com."},
		{"s3.us-west-2.amazonaws.com", dns.TypeSOA, dns.RcodeSuccess, 1, ""},
		{"s3.us-west-2.amazonaws.com", dns.TypeNS, dns.RcodeSuccess, 1, ""},
		{"b.s3.us-west-2.amazonaws.com", dns.TypeSOA, dns.RcodeSuccess, 0, "s3.us-west-2.amazonaws.com."},
		{"s3.us-west-2.amazonaws.com", dns.TypeANY, dns.RcodeRefused, 0, ""},
		{"s3.us-west-2.amazonaws.com", dns.TypeAXFR, dns.RcodeRefused, 0, ""},
		{"example.com", dns.TypeA, dns.RcodeNameError, 0, "."},
		{"ip-10-0-1-10.us-west-2.compute.internal", dns.TypeA, dns.RcodeSuccess, 1, ""},
		{"ip-10-0-1-11.us-west-2.compute.internal", dns.TypeA, dns.RcodeNameError, 0, "us-west-2.compute.internal."},
		{"10.1.0.10.in-addr.arpa", dns.TypePTR, dns.RcodeSuccess, 1, ""},
		{".", dns.TypeA, dns.RcodeNameError, 0, "."},
	}
	for _, tt := range tests {
		m := reply(question{topology: top, vpc: "vpc-1", request: ask(tt.name, tt.qtype)})
		soa := ""
		if len(m.Ns) > 0 {
			soa = m.Ns[0].Header().Name
		}
		if m.Rcode != tt.rcode || len(m.Answer) != tt.answers || soa != tt.soa {
			t.Errorf("%s %s: got %s, %d answers, authority %q; want %s, %d, %q", tt.name, dns.TypeToString[tt.qtype],
				dns.RcodeToString[m.Rcode], len(m.Answer), soa, dns.RcodeToString[tt.rcode], tt.answers, tt.soa)
		}
	}
}

func TestAnswersTooLongForADatagramAreTruncated(t *testing.T) {
	top := network(60)
	request := ask("s3.us-west-2.amazonaws.com", dns.TypeA)
	plain := reply(question{topology: top, vpc: "vpc-1", request: request})
	if !plain.Truncated || plain.Len() > dns.MinMsgSize {
		t.Errorf("truncated %t, %d bytes; want a truncated answer of at most 512", plain.Truncated, plain.Len())
	}
	stream := reply(question{topology: top, vpc: "vpc-1", request: request, stream: true})
	if stream.Truncated || len(stream.Answer) != 60 {
		t.Errorf("over TCP: truncated %t, %d answers", stream.Truncated, len(stream.Answer))
	}
	request.SetEdns0(4096, false)
	large := reply(question{topology: top, vpc: "vpc-1", request: request})
	if large.Truncated || len(large.Answer) != 60 || large.IsEdns0() == nil {
		t.Errorf("with EDNS: truncated %t, %d answers", large.Truncated, len(large.Answer))
	}
	request.IsEdns0().SetVersion(1)
	if m := reply(question{topology: top, vpc: "vpc-1", request: request}); m.Rcode != dns.RcodeBadVers {
		t.Errorf("EDNS version 1: %s, want BADVERS", dns.RcodeToString[m.Rcode])
	}
}

func TestTheFirstAddressRotates(t *testing.T) {
	top := network(3)
	first := map[string]int{}
	for turn := range uint32(9) {
		m := reply(question{topology: top, vpc: "vpc-1", request: ask("s3.us-west-2.amazonaws.com", dns.TypeA), turn: turn})
		first[addresses(m)[0]]++
	}
	if len(first) != 3 {
		t.Errorf("first addresses %v, want each of three in its turn", first)
	}
}

func FuzzReply(f *testing.F) {
	top := network(3)
	for _, m := range []*dns.Msg{
		ask("b.s3.us-west-2.amazonaws.com", dns.TypeA), ask(strings.Repeat("a.", 100), dns.TypePTR),
		ask("10.1.0.10.in-addr.arpa", dns.TypePTR), {MsgHdr: dns.MsgHdr{Id: 1}},
	} {
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		request := new(dns.Msg)
		if request.Unpack(b) != nil {
			return
		}
		m := reply(question{topology: top, vpc: "vpc-1", request: request, turn: uint32(len(b))})
		if m == nil {
			t.Fatal("silence from a resolver that is on")
		}
		out, err := m.Pack()
		if err != nil {
			return // a name that cannot be written back; the server logs it
		}
		if len(out) > udpSize {
			t.Errorf("%d bytes over UDP", len(out))
		}
	})
}

func BenchmarkReply(b *testing.B) {
	top := network(3)
	request := ask("my-bucket.s3.us-west-2.amazonaws.com", dns.TypeA)
	for b.Loop() {
		if m := reply(question{topology: top, vpc: "vpc-1", request: request}); len(m.Answer) != 3 {
			b.Fatal(m)
		}
	}
}

func BenchmarkExchangeOverUDP(b *testing.B) {
	top := network(3)
	address := start(b, Config{VPC: "vpc-1", Topology: func() *topology.Topology { return top }})
	conn, err := dns.Dial("udp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	client := &dns.Client{Timeout: 5 * time.Second}
	request := ask("my-bucket.s3.us-west-2.amazonaws.com", dns.TypeA)
	for b.Loop() {
		if _, _, err := client.ExchangeWithConn(request, conn); err != nil {
			b.Fatal(err)
		}
	}
}
