package explain

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

var sts = Flow{From: "eni-fn", Name: "sts.us-west-2.amazonaws.com", Port: 443}

// plans are networks that need something new, and the edits that make it, in the order in which they can be made.
var plans = []struct {
	name  string
	build func(network)
	flow  Flow
	edits []string
}{
	{"no way to a service", func(network) {}, sts, []string{"CreateGroup", "CreateEndpoint"}},
	{"no way to a service, and names off", func(n network) {
		n.put(&resource.VPC{ID: "vpc-1", CIDRs: []resource.VPCCIDR{{Prefix: pfx("10.0.0.0/16")}}, EnableDNSSupport: true})
	}, sts, []string{"EnableDNS", "CreateGroup", "CreateEndpoint"}},
	{"no way to a service, and a group without rules", func(n network) { n.put(&resource.SecurityGroup{ID: "sg-fn", VPCID: "vpc-1"}) }, sts,
		[]string{"AddRule", "CreateGroup", "CreateEndpoint"}},
	{"no way to S3", func(network) {}, s3, []string{"AddGatewayRoutes"}},
	{"no way to the internet, a public subnet is there", func(n network) { n.internetGateway() },
		Flow{From: "eni-fn", Internet: true, Port: 443}, []string{"CreateNAT", "SetRoute"}},
	{"no way to the internet at all", func(network) {}, Flow{From: "eni-fn", Internet: true, Port: 443},
		[]string{"AttachGateway", "CreateSubnet", "CreateNAT", "SetRoute", "SetRoute"}},
	{"an endpoint that waits", func(n network) { waiting(n) }, Flow{From: "eni-fn", To: ip("10.0.1.30"), Port: 443}, []string{"AcceptEndpoint"}},
	{"an endpoint without a subnet in a zone", func(n network) {
		n.interfaceEndpoint(false)
		s := *n["subnet-public"].(*resource.Subnet)
		s.AvailabilityZone = "us-west-2b"
		n.put(&s)
	}, Flow{From: "eni-fn", Name: "bucket.vpce-0a-ab12cd34-us-west-2b.s3.us-west-2.vpce.amazonaws.com", Port: 443}, []string{"AddEndpointSubnet"}},
}

// waiting is an endpoint whose service leads to a load balancer with a target, and has not accepted it.
func waiting(n network) {
	n.put(&resource.SecurityGroup{ID: "sg-all", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{
		rule("sgr-all-in", ingress, -1, 0, "0.0.0.0/0"), rule("sgr-all-out", egress, -1, 0, "0.0.0.0/0"),
	}})
	n.eni("ep", "private", "10.0.1.30", resource.InterfaceTypeVPCEndpoint, "sg-all")
	n.eni("lb", "public", "10.0.2.30", resource.InterfaceTypeInterface, "sg-all")
	n.eni("target", "public", "10.0.2.31", resource.InterfaceTypeInterface, "sg-all")
	n.put(
		&resource.LoadBalancer{ARN: "arn:lb", VPCID: "vpc-1", TrustsPrivateLink: true, Nodes: []resource.LoadBalancerNode{{AvailabilityZone: "us-west-2a", NetworkInterfaceID: "eni-lb"}}},
		&resource.Listener{ARN: "arn:listener", LoadBalancer: "arn:lb", Port: 443, TargetGroup: "arn:tg"},
		&resource.TargetGroup{ARN: "arn:tg", Targets: []resource.Target{{Address: ip("10.0.2.31"), Port: 80, AvailabilityZone: "us-west-2a"}}},
		&resource.EndpointService{ID: "vpce-svc-1", LoadBalancers: []resource.LoadBalancerARN{"arn:lb"}},
		&resource.VPCEndpoint{
			ID: "vpce-wait", VPCID: "vpc-1", Type: resource.EndpointTypeInterface, ServiceName: "com.amazonaws.vpce.us-west-2.vpce-svc-1",
			State: resource.EndpointPendingAcceptance, NetworkInterfaceIDs: []resource.NetworkInterfaceID{"eni-ep"},
		})
}

func TestWhatIsMissingIsMade(t *testing.T) {
	for _, c := range plans {
		t.Run(c.name, func(t *testing.T) {
			n := newNetwork()
			c.build(n)
			top := n.resolve(t)
			p := Mend(top, c.flow)
			var kinds []string
			for _, e := range p.Edits {
				kinds = append(kinds, reflect.TypeOf(e).Name())
			}
			if diff := cmp.Diff(c.edits, kinds); diff != "" {
				t.Fatalf("edits (-want +got):\n%s\n%+v", diff, p.Blockers)
			}
			if !p.Trace.Reachable {
				t.Errorf("with all edits made:\n%s", p.Trace)
			}
			for i := range p.Edits {
				if Explain(tried(top, slices.Delete(slices.Clone(p.Edits), i, i+1)...), c.flow).Reachable {
					t.Errorf("%+v is not needed", p.Edits[i])
				}
			}
			known := map[string]bool{}
			for i, r := range p.Fix() {
				for line := range strings.SplitSeq(r.CLI, "\n") {
					name, _, makes := strings.Cut(line, "=$(")
					for _, v := range variables(line) {
						if v != "" && !known[v] {
							t.Errorf("edit %d uses %s before it is made: %s", i, v, line)
						}
					}
					if makes && !strings.Contains(name, " ") {
						known[name] = true
					}
				}
			}
			for _, b := range p.Blockers {
				if strings.HasPrefix(b.Component.ID, "$") {
					t.Errorf("a blocker that the plan itself brings: %+v", b)
				}
			}
		})
	}
}

// Names that private DNS does not cover would not lead to a new endpoint.
func TestAnEndpointIsMadeOnlyForNamesThatLeadToIt(t *testing.T) {
	n := newNetwork()
	p := Mend(n.resolve(t), Flow{From: "eni-fn", Name: "sts.amazonaws.com", Port: 443})
	for _, e := range p.Edits {
		if _, ok := e.(CreateEndpoint); ok {
			t.Errorf("an endpoint does not help: %+v", p.Edits)
		}
	}
}

func TestANewSubnetOverlapsNoOther(t *testing.T) {
	v := &topology.VPC{CIDRs: []netip.Prefix{pfx("10.0.0.0/24")}}
	var got []string
	for {
		b, ok := freeBlock(v, v.CIDRs[0])
		if !ok {
			break
		}
		got = append(got, b.String())
		v.Subnets = append(v.Subnets, &topology.Subnet{CIDR: b})
		if len(v.Subnets) == 1 {
			v.Subnets = append(v.Subnets, &topology.Subnet{CIDR: pfx("10.0.0.32/27")}, &topology.Subnet{CIDR: pfx("10.0.0.128/25")})
		}
	}
	if diff := cmp.Diff([]string{"10.0.0.0/28", "10.0.0.16/28", "10.0.0.64/28", "10.0.0.80/28", "10.0.0.96/28", "10.0.0.112/28"}, got); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
}

// TestTerraformTakesEveryPlan needs Terraform. With TF_PLUGIN_DIR, where AWS's provider is, the plans are validated too:
// each is a module, so that one run does for all.
func TestTerraformTakesEveryPlan(t *testing.T) {
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform is not installed")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root := "terraform {\n  required_providers {\n    aws = {\n      source = \"hashicorp/aws\"\n    }\n  }\n}\n"
	count := 0
	add := func(build func(network), f Flow) {
		n := newNetwork()
		build(n)
		text := ""
		for _, r := range Mend(n.resolve(t), f).Fix() {
			text += "# " + r.Text + "\n" + r.Terraform + "\n"
		}
		name := fmt.Sprintf("plan%d", count)
		count++
		write(name+"/main.tf", text)
		root += fmt.Sprintf("\nmodule %q {\n  source = \"./%s\"\n}\n", name, name)
	}
	for _, c := range plans {
		add(c.build, c.flow)
	}
	for _, c := range cases {
		add(c.build, c.flow)
	}
	write("main.tf", root)
	terraform := func(arguments ...string) {
		t.Helper()
		c := exec.Command("terraform", arguments...)
		c.Dir, c.Env = dir, append(os.Environ(), "CHECKPOINT_DISABLE=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("terraform %v: %v\n%s", arguments, err, out)
		}
	}
	terraform("fmt", "-check", "-diff", "-recursive")
	if plugins := os.Getenv("TF_PLUGIN_DIR"); plugins != "" {
		terraform("init", "-plugin-dir="+plugins)
		terraform("validate")
	}
}

// A note is a warning that decides nothing; in the same zone there is none.
func TestAnEndpointInAnotherZoneIsNoted(t *testing.T) {
	for zone, want := range map[string]bool{"us-west-2a": false, "us-west-2b": true} {
		n := newNetwork()
		n.interfaceEndpoint(true)
		s := *n["subnet-public"].(*resource.Subnet)
		s.AvailabilityZone = zone
		n.put(&s)
		n.eni("far", "public", "10.0.2.77", resource.InterfaceTypeInterface, "sg-fn")
		trace := Explain(n.resolve(t), Flow{From: "eni-far", Name: s3.Name, Port: 443})
		noted := slices.ContainsFunc(trace.Hops, func(h Hop) bool { return h.Code == "x:VPCE_NOT_IN_CALLERS_AZ" && h.Verdict == Note })
		if !trace.Reachable || noted != want {
			t.Errorf("%s: reachable %t, noted %t", zone, trace.Reachable, noted)
		}
	}
}

// What does not serve is said beside what stops a flow, and is no blocker.
func TestRoutesThatDoNotServeAreDetails(t *testing.T) {
	n := newNetwork()
	n.internetGateway()
	n.route("private", "52.0.0.0/6", resource.RouteTarget{InternetGatewayID: "igw-gone"})
	n.route("private", "0.0.0.0/0", resource.RouteTarget{InternetGatewayID: "igw-1"})
	n.route("private", "9.0.0.0/8", resource.RouteTarget{InternetGatewayID: "igw-1"})
	p := Mend(n.resolve(t), s3)
	var got []string
	for _, d := range p.Details {
		got = append(got, d.Code+" "+d.Rule)
	}
	if diff := cmp.Diff([]string{"VPC_LOCAL_ROUTE_CIDR_RESTRICTION local", "MORE_SPECIFIC_ROUTE 0.0.0.0/0", "CANNOT_ROUTE 9.0.0.0/8"}, got[:min(3, len(got))]); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
	for _, b := range p.Blockers {
		if b.Code == "CANNOT_ROUTE" || b.Code == "MORE_SPECIFIC_ROUTE" {
			t.Errorf("%+v is no blocker", b)
		}
	}
}

// A NAT gateway fails where no internet gateway is attached, so Terraform is told of the order, too.
func TestANewNATGatewayComesAfterANewInternetGateway(t *testing.T) {
	for build, want := range map[bool]bool{false: true, true: false} {
		n := newNetwork()
		if build {
			n.internetGateway()
		}
		text := ""
		for _, r := range Mend(n.resolve(t), Flow{From: "eni-fn", Internet: true, Port: 443}).Fix() {
			text += r.Terraform
		}
		if got := strings.Contains(text, "depends_on    = [aws_internet_gateway.vpc_1]"); got != want {
			t.Errorf("gateway there %t: depends_on %t\n%s", build, got, text)
		}
	}
}
