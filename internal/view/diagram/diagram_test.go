package diagram

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func blockedInput(t testing.TB) Input {
	n, _, private := article(t)
	n.interfaceEndpoint("s3", false, private)
	in := n.input()
	in.Path = path(t, in, "vpc-endpoint-demo-lambda", "s3")
	return in
}

func pathByNAT(t testing.TB) Input {
	in := articleByNAT(t)
	in.Path = path(t, in, "vpc-endpoint-demo-lambda", "s3")
	return in
}

// threeZones is a network of some size: two VPCs, three zones, everything that has an icon.
func threeZones(t testing.TB) Input {
	n := newNetwork(t)
	vpc := n.vpc("production", "10.0.0.0/16")
	gateway := n.internetGateway(vpc)
	var privates []*testSubnet
	for i, zone := range []string{"a", "b", "c"} {
		public := n.subnet(vpc, "public-"+zone, "10.0."+string(rune('1'+i))+".0/24", zone)
		public.route(resource.RouteTarget{InternetGatewayID: gateway})
		private := n.subnet(vpc, "private-"+zone, "10.0.1"+string(rune('1'+i))+".0/24", zone)
		if zone != "c" {
			private.route(resource.RouteTarget{NATGatewayID: n.natGateway(public)})
		}
		privates = append(privates, private)
	}
	n.gatewayEndpoint("s3", privates[2])
	n.interfaceEndpoint("sts", true, privates...)
	n.function("orders-api", privates...)
	n.function("invoice-renderer", privates[0], privates[2])
	n.function("nightly-report")
	other := n.vpc("sandbox", "10.0.0.0/16")
	lonely := n.subnet(other, "", "10.0.1.0/24", "a")
	n.function("experiment", lonely)
	n.in.Buckets = []string{"orders", "invoices"}
	return n.input()
}

// peered are three VPCs: two joined by a peering connection, the third by an endpoint service.
func peered(t testing.TB) Input {
	n := newNetwork(t)
	shop := n.vpc("shop", "10.0.0.0/16")
	gateway := n.internetGateway(shop)
	web := n.subnet(shop, "web-a", "10.0.1.0/24", "a")
	web.route(resource.RouteTarget{InternetGatewayID: gateway})
	app := n.subnet(shop, "app-a", "10.0.11.0/24", "a")
	app2 := n.subnet(shop, "app-b", "10.0.12.0/24", "b")
	app.route(resource.RouteTarget{NATGatewayID: n.natGateway(web)})
	n.gatewayEndpoint("s3", app, app2)
	n.function("checkout", app, app2)
	data := n.vpc("data", "10.1.0.0/16")
	db := n.subnet(data, "database-a", "10.1.1.0/24", "a")
	db2 := n.subnet(data, "database-b", "10.1.2.0/24", "b")
	one := n.instance(db, "postgres-1")
	two := n.instance(db2, "postgres-2")
	lb := n.loadBalancer("postgres", []netip.Addr{one.PrivateIPs[0], two.PrivateIPs[0]}, db, db2)
	partner := n.vpc("partner", "10.0.0.0/16")
	ps := n.subnet(partner, "reports", "10.0.1.0/24", "a")
	n.instance(ps, "report-1")
	n.privateLink(n.endpointService(lb), ps)
	n.peering(shop, data, "shop-data")
	n.egressOnly(shop, app)
	n.in.Buckets = []string{"orders", "invoices"}
	in := n.input()
	in.Path = &Path{Function: "checkout", From: in.Functions[0].ENIs[0], Target: "postgres-1"}
	in.Path.Trace = explain.Explain(in.Topology, explain.Flow{From: in.Path.From, To: one.PrivateIPs[0], Port: 5432})
	return in
}

func TestThePicturesAreTheKnownOnes(t *testing.T) {
	for name, in := range map[string]Input{
		"nat": articleByNAT(t), "endpoint": articleByEndpoint(t), "blocked": blockedInput(t), "path-nat": pathByNAT(t), "zones": threeZones(t), "peered": peered(t), "loaded": loaded(t),
	} {
		t.Run(name, func(t *testing.T) {
			p := Draw(in)
			golden(t, name+".svg", p.SVG(ThemeAuto))
			if name == "nat" || name == "blocked" {
				golden(t, name+".mmd", p.Mermaid())
				golden(t, name+".dot", p.DOT())
			}
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("%s (-got +want; -update writes it):\n%s", name, diff)
	}
}

func edges(p *Picture) map[string]string {
	m := map[string]string{}
	for _, e := range p.Edges {
		m[p.byKey[e.From].Kind+" > "+p.byKey[e.To].Kind] = e.State
	}
	return m
}

func TestBothRoadsAreDrawnAsTheyAre(t *testing.T) {
	if diff := cmp.Diff(edges(Draw(articleByNAT(t))), map[string]string{
		"function > nat-gateway": StateFlow, "instance > nat-gateway": StateFlow,
		"nat-gateway > internet-gateway": StateFlow, "internet-gateway > service": StateFlow,
	}); diff != "" {
		t.Errorf("by NAT (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(edges(Draw(articleByEndpoint(t))), map[string]string{
		"function > interface-endpoint": StateFlow, "instance > interface-endpoint": StateFlow, "interface-endpoint > service": StateFlow,
	}); diff != "" {
		t.Errorf("by the endpoint (-got +want):\n%s", diff)
	}
}

func TestABlockedPathEndsInRedWithItsCode(t *testing.T) {
	p := Draw(blockedInput(t))
	code := "x:DNS_ANSWER_IS_PUBLIC"
	if got := edges(p)["function > service"]; got != StateBlocked {
		t.Errorf("the edge is %q, want %q; all: %v", got, StateBlocked, edges(p))
	}
	for _, c := range p.Cards {
		if want := map[bool]string{true: code}[c.Kind == KindFunction]; c.Code != want {
			t.Errorf("%s has code %q, want %q", c.Key, c.Code, want)
		}
	}
	for format, text := range map[string][]byte{"svg": p.SVG(ThemeAuto), "mermaid": p.Mermaid(), "dot": p.DOT()} {
		if !bytes.Contains(text, []byte(code)) {
			t.Errorf("%s does not say %s", format, code)
		}
	}
}

func TestAnOpenPathIsDrawnToItsEnd(t *testing.T) {
	got := edges(Draw(pathByNAT(t)))
	for _, e := range []string{"function > nat-gateway", "nat-gateway > internet-gateway", "internet-gateway > service"} {
		if got[e] != StatePath {
			t.Errorf("%s is %q, want %q", e, got[e], StatePath)
		}
	}
}

func TestAPathOverAPeeringConnectionIsDrawnOverBothItsEnds(t *testing.T) {
	got := edges(Draw(peered(t)))
	for _, e := range []string{"function > vpc-peering-connection", "vpc-peering-connection > vpc-peering-connection", "vpc-peering-connection > instance"} {
		if got[e] != StatePath {
			t.Errorf("%s is %q, want %q", e, got[e], StatePath)
		}
	}
	if got["interface-endpoint > load-balancer"] != StateLink || got["load-balancer > instance"] != StateFlow || got["function > egress-only-internet-gateway"] != StateLink {
		t.Errorf("the load balancer or the egress-only gateway is not drawn: %v", got)
	}
}

func TestEqualInputsGiveEqualBytes(t *testing.T) {
	first := Draw(threeZones(t))
	for range 20 {
		again := Draw(threeZones(t))
		if !bytes.Equal(first.SVG(ThemeAuto), again.SVG(ThemeAuto)) || !bytes.Equal(first.Mermaid(), again.Mermaid()) || !bytes.Equal(first.DOT(), again.DOT()) {
			t.Fatal("another picture of the same network")
		}
	}
}

func TestTheSVGIsXMLWithAnIDOnEveryElement(t *testing.T) {
	n := newNetwork(t)
	vpc := n.vpc(`<&"'> `+"\x01\xff", "10.0.0.0/16")
	n.function("f", n.subnet(vpc, "]]>", "10.0.1.0/24", "a"))
	for _, in := range []Input{n.input(), threeZones(t), blockedInput(t)} {
		p := Draw(in)
		svg := p.SVG(ThemeDark)
		d := xml.NewDecoder(bytes.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in\n%s", err, svg)
			}
		}
		if got, want := strings.Count(string(svg), "data-id="), len(p.Boxes)+len(p.Cards)+len(p.Edges)+len(p.Badges); got != want {
			t.Errorf("got %d elements with data-id, want %d", got, want)
		}
		b, err := p.JSON()
		if err != nil || !json.Valid(b) {
			t.Errorf("JSON: %v", err)
		}
	}
}

func TestAFurtherInterfaceIsShownWithItsInstance(t *testing.T) {
	n := newNetwork(t)
	s := n.subnet(n.vpc("shop", "10.0.0.0/16"), "web", "10.0.1.0/24", "a")
	n.instance(s, "server")
	n.further(n.eni(s, resource.InterfaceTypeInterface))
	in := n.input()
	if svg := string(Draw(in).SVG(ThemeAuto)); !strings.Contains(svg, "eth1 of<") || strings.Count(svg, ">server<") != 2 {
		t.Errorf("nothing says that the second interface is the instance's:\n%s", svg)
	}
}
