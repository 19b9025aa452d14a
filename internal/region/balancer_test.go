package region_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/operator"
	"github.com/culvert-cloud/culvert/internal/region"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// provider is a VPC 10.0.0.0/16 with a workload on an interface.
type provider struct {
	t                           testing.TB
	r                           *region.Region
	client                      *operator.Client
	vpc, subnet                 string
	group                       string // of the workload; nobody is let in
	workload, target            string // interface and address
	balancer, groupARN, address string
}

// ask calls a query service and returns the answer, which must be one.
func ask(t testing.TB, c *operator.Client, service, operation string, parameters ...string) string {
	t.Helper()
	var flat []string
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		flat = append(flat, name, value)
	}
	body, err := c.QueryRaw(t.Context(), service, operation, flat...)
	if err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	return string(body)
}

// element is the text of the first element of a name.
func element(t testing.TB, document, name string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(document))
	for {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("the answer has no element %s:\n%s", name, document)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == name {
			var text string
			if err := d.DecodeElement(&text, &start); err != nil {
				t.Fatal(err)
			}
			return text
		}
	}
}

func newPlace(t testing.TB, c *operator.Client) (vpc, subnet, group string) {
	t.Helper()
	vpc = element(t, ask(t, c, "ec2", "CreateVpc", "CidrBlock=10.0.0.0/16"), "vpcId")
	subnet = element(t, ask(t, c, "ec2", "CreateSubnet", "VpcId="+vpc, "CidrBlock=10.0.1.0/24", "AvailabilityZone=us-west-2a"), "subnetId")
	group = element(t, ask(t, c, "ec2", "CreateSecurityGroup", "VpcId="+vpc, "GroupName=one", "GroupDescription=one"), "groupId")
	return vpc, subnet, group
}

func newInterface(t testing.TB, c *operator.Client, subnet, group string) (id, address string) {
	t.Helper()
	made := ask(t, c, "ec2", "CreateNetworkInterface", "SubnetId="+subnet, "SecurityGroupId.1="+group)
	return element(t, made, "networkInterfaceId"), element(t, made, "privateIpAddress")
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	r, c := open(t, region.Config{})
	p := &provider{t: t, r: r, client: c}
	p.vpc, p.subnet, p.group = newPlace(t, c)
	p.workload, p.target = newInterface(t, c, p.subnet, p.group)
	made := ask(t, c, "elasticloadbalancing", "CreateLoadBalancer", "Name=inner", "Type=network", "Scheme=internal", "Subnets.member.1="+p.subnet)
	p.balancer = element(t, made, "LoadBalancerArn")
	p.address = element(t, ask(t, c, "ec2", "DescribeNetworkInterfaces", "Filter.1.Name=interface-type", "Filter.1.Value.1=network_load_balancer"), "privateIpAddress")
	p.groupARN = element(t, ask(t, c, "elasticloadbalancing", "CreateTargetGroup", "Name=workloads", "Protocol=TCP", "Port=8080", "VpcId="+p.vpc,
		"TargetType=ip", "HealthCheckIntervalSeconds=5", "HealthCheckTimeoutSeconds=2", "HealthyThresholdCount=2", "UnhealthyThresholdCount=2"), "TargetGroupArn")
	ask(t, c, "elasticloadbalancing", "RegisterTargets", "TargetGroupArn="+p.groupARN, "Targets.member.1.Id="+p.target)
	ask(t, c, "elasticloadbalancing", "CreateListener", "LoadBalancerArn="+p.balancer, "Protocol=TCP", "Port=80",
		"DefaultActions.member.1.Type=forward", "DefaultActions.member.1.TargetGroupArn="+p.groupARN)
	return p
}

// letIn opens the workload's group.
func (p *provider) letIn(from string) {
	p.t.Helper()
	ask(p.t, p.client, "ec2", "AuthorizeSecurityGroupIngress", "GroupId="+p.group, "IpPermissions.1.IpProtocol=tcp",
		"IpPermissions.1.FromPort=8080", "IpPermissions.1.ToPort=8080", "IpPermissions.1.IpRanges.1.CidrIp="+from)
}

// serve makes the workload answer: whom it sees, and then what it was sent, once the client has no more to say.
func (p *provider) serve() (stop func()) {
	p.t.Helper()
	l, err := p.seat(p.workload).Listen("tcp4", p.target+":8080")
	if err != nil {
		p.t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				said, _ := io.ReadAll(c)
				host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				fmt.Fprintf(c, "%s says %s", host, said)
			}()
		}
	}()
	p.t.Cleanup(func() { l.Close() })
	return func() { l.Close() }
}

func (p *provider) seat(eni string) dataplane.Attachment {
	p.t.Helper()
	a, err := p.r.Network().Attach(p.t.Context(), dataplane.Seat{ENI: resource.NetworkInterfaceID(eni)})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { a.Close() })
	return a
}

// say connects from an interface, says hello, and returns what comes back.
func (p *provider) say(eni, to string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
	defer cancel()
	c, err := p.seat(eni).Dial(ctx, "tcp4", to)
	if errors.Is(err, syscall.ECONNRESET) {
		return "reset" // before the client knew that it was connected
	}
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(7 * time.Second))
	if _, err := io.WriteString(c, "hello"); err != nil {
		return "reset"
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return "reset"
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		return "reset"
	}
	return string(answer)
}

// until waits for the target to be in a state.
func (p *provider) until(want string) {
	p.t.Helper()
	got := ""
	for range 200 {
		if got = p.health(); got == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.t.Fatalf("the target is %s, want %s", got, want)
}

func (p *provider) health() string {
	p.t.Helper()
	return element(p.t, ask(p.t, p.client, "elasticloadbalancing", "DescribeTargetHealth", "TargetGroupArn="+p.groupARN), "State")
}

func TestALoadBalancerCarriesConnectionsUnderItsOwnAddress(t *testing.T) {
	p := newProvider(t)
	stop := p.serve()
	client, _ := newInterface(t, p.client, p.subnet, p.group)
	if got := p.say(client, p.address+":80"); got != "reset" {
		t.Errorf("a target whose group lets nobody in: %q", got)
	}
	p.letIn(p.address + "/32")
	p.until("healthy")
	if got, want := p.say(client, p.address+":80"), p.address+" says hello"; got != want {
		t.Errorf("through the load balancer: %q, want %q", got, want)
	}
	if got := p.say(client, p.target+":8080"); got != "no connection" {
		t.Errorf("past the load balancer: %q, want no connection", got)
	}
	if got := p.say(client, p.address+":81"); got != "no connection" {
		t.Errorf("where no listener is: %q", got)
	}
	stop()
	p.until("unhealthy")
	p.serve()
	p.until("healthy")
	ask(t, p.client, "elasticloadbalancing", "DeregisterTargets", "TargetGroupArn="+p.groupARN, "Targets.member.1.Id="+p.target)
	if got := p.say(client, p.address+":80"); got != "reset" {
		t.Errorf("without a target: %q", got)
	}
	ask(t, p.client, "elasticloadbalancing", "DeleteLoadBalancer", "LoadBalancerArn="+p.balancer)
	if got := p.say(client, p.address+":80"); got != "no connection" {
		t.Errorf("without a load balancer: %q", got)
	}
}
