package ec2

import (
	"slices"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// balancer puts a network load balancer into a subnet, as the service for that does.
func (w *world) balancer(name string, subnet *string) string {
	w.t.Helper()
	arn := "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/net/" + name + "/0123456789abcdef"
	_, err := w.store.Update(func(tx *state.Tx) error {
		s, _ := state.Get[*resource.Subnet](tx, *subnet)
		tx.Put(&resource.LoadBalancer{ARN: resource.LoadBalancerARN(arn), Name: name, VPCID: s.VPCID,
			Nodes: []resource.LoadBalancerNode{{SubnetID: s.ID, AvailabilityZone: s.AvailabilityZone}}})
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return arn
}

func (w *world) service(balancer string, acceptance bool) ServiceConfiguration {
	w.t.Helper()
	return *do(w, w.createServiceConfiguration, CreateVpcEndpointServiceConfigurationInput{
		NetworkLoadBalancerArns: []string{balancer}, AcceptanceRequired: &acceptance}).ServiceConfiguration
}

func endpointOf(s ServiceConfiguration, vpc *string, subnets ...string) CreateVpcEndpointInput {
	return CreateVpcEndpointInput{VpcId: vpc, VpcEndpointType: new("Interface"), ServiceName: s.ServiceName, SubnetIds: subnets}
}

// furnishService makes an endpoint service that allows a principal and has a waiting endpoint.
func (w *world) furnishService(vpc *string) []string {
	w.t.Helper()
	s := w.service(w.balancer("furniture", new(w.known["SubnetId"])), true)
	w.known["ServiceId"] = *s.ServiceId
	do(w, w.modifyServicePermissions, ModifyVpcEndpointServicePermissionsInput{ServiceId: s.ServiceId, AddAllowedPrincipals: []string{"*"}})
	e := do(w, w.createVPCEndpoint, endpointOf(s, vpc)).VpcEndpoint
	w.notification(s.ServiceId, nil)
	w.notification(nil, e.VpcEndpointId)
	return []string{*s.ServiceId, *e.VpcEndpointId}
}

func TestAServiceIsListedForThoseWhoMayUseIt(t *testing.T) {
	w := newWorld(t)
	subnet := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "b")
	s := w.service(w.balancer("one", subnet), true)
	if *s.ServiceName != "com.amazonaws.vpce.us-west-2."+*s.ServiceId || !strings.HasPrefix(*s.ServiceId, "vpce-svc-") || !slices.Equal(s.AvailabilityZones, []string{"us-west-2b"}) {
		t.Errorf("service is %+v", s)
	}
	out := see(w, w.describeVPCEndpointServices, DescribeVpcEndpointServicesInput{ServiceNames: []string{*s.ServiceName}})
	if len(out.ServiceDetails) != 1 || !*out.ServiceDetails[0].AcceptanceRequired || *out.ServiceDetails[0].Owner != "123456789012" || *out.ServiceDetails[0].VpcEndpointPolicySupported {
		t.Errorf("detail is %+v", out.ServiceDetails)
	}
	all := see(w, w.describeVPCEndpointServices, DescribeVpcEndpointServicesInput{})
	if !slices.Contains(all.ServiceNames, *s.ServiceName) {
		t.Errorf("services are %v", all.ServiceNames)
	}
}

func TestServicesThatCannotBeAreRefused(t *testing.T) {
	w := newWorld(t)
	b := w.balancer("one", w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a"))
	other := w.balancer("two", w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a"))
	type in = CreateVpcEndpointServiceConfigurationInput
	refused(w, w.createServiceConfiguration, in{}, "MissingParameter")
	refused(w, w.createServiceConfiguration, in{GatewayLoadBalancerArns: []string{b}}, "UnsupportedOperation")
	refused(w, w.createServiceConfiguration, in{NetworkLoadBalancerArns: []string{"arn:aws:nothing"}}, "InvalidParameter")
	refused(w, w.createServiceConfiguration, in{NetworkLoadBalancerArns: []string{b}, PrivateDnsName: new("example.com")}, "UnsupportedOperation")
	refused(w, w.createServiceConfiguration, in{NetworkLoadBalancerArns: []string{b}, SupportedIpAddressTypes: []string{"ipv6"}}, "UnsupportedOperation")
	s := w.service(b, false)
	refused(w, w.createServiceConfiguration, in{NetworkLoadBalancerArns: []string{b}}, "InvalidParameter")
	type change = ModifyVpcEndpointServiceConfigurationInput
	refused(w, w.modifyServiceConfiguration, change{ServiceId: s.ServiceId, RemoveNetworkLoadBalancerArns: []string{b}}, "InvalidParameter")
	refused(w, w.modifyServiceConfiguration, change{ServiceId: s.ServiceId, RemoveNetworkLoadBalancerArns: []string{other}}, "InvalidParameter")
	refused(w, w.modifyServiceConfiguration, change{ServiceId: new("vpce-svc-00000000000000099"), AcceptanceRequired: new(true)}, "InvalidVpcEndpointServiceId.NotFound")
	refused(w, w.modifyServiceConfiguration, change{ServiceId: new("vpce-00000000000000099"), AcceptanceRequired: new(true)}, "InvalidVpcEndpointServiceId.Malformed")
	do(w, w.modifyServiceConfiguration, change{ServiceId: s.ServiceId, AddNetworkLoadBalancerArns: []string{other}, RemoveNetworkLoadBalancerArns: []string{b}})
}

func TestAnEndpointWaitsForAcceptance(t *testing.T) {
	w := newWorld(t)
	s := w.service(w.balancer("one", w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")), true)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	e := do(w, w.createVPCEndpoint, endpointOf(s, vpc, *subnet)).VpcEndpoint
	if *e.State != "pendingAcceptance" || *e.PrivateDnsEnabled {
		t.Errorf("endpoint is %+v", e)
	}
	if want := *e.VpcEndpointId + "-"; !strings.HasPrefix(*e.DnsEntries[0].DnsName, want) || !strings.HasSuffix(*e.DnsEntries[0].DnsName, "."+*s.ServiceId+".us-west-2.vpce.amazonaws.com") {
		t.Errorf("name is %s", *e.DnsEntries[0].DnsName)
	}
	ids := []string{*e.VpcEndpointId}
	for _, c := range []struct {
		do   string
		want string
	}{{"accept", "available"}, {"accept", "available"}, {"reject", "rejected"}, {"accept", "available"}} {
		var failed []UnsuccessfulItem
		before := *w.endpointNow(e.VpcEndpointId).State
		if c.do == "accept" {
			failed = do(w, w.acceptEndpointConnections, AcceptVpcEndpointConnectionsInput{ServiceId: s.ServiceId, VpcEndpointIds: ids}).Unsuccessful
		} else {
			failed = do(w, w.rejectEndpointConnections, RejectVpcEndpointConnectionsInput{ServiceId: s.ServiceId, VpcEndpointIds: ids}).Unsuccessful
		}
		if now := *w.endpointNow(e.VpcEndpointId).State; now != c.want || (len(failed) > 0) != (before == c.want) {
			t.Errorf("%s: from %s to %s, %+v", c.do, before, now, failed)
		}
	}
	stranger := do(w, w.acceptEndpointConnections, AcceptVpcEndpointConnectionsInput{ServiceId: s.ServiceId, VpcEndpointIds: []string{"vpce-00000000000000099"}}).Unsuccessful
	if len(stranger) != 1 || *stranger[0].Error.Code != "InvalidVpcEndpointId.NotFound" {
		t.Errorf("a stranger: %+v", stranger)
	}
}

func TestAServiceWithEndpointsStays(t *testing.T) {
	w := newWorld(t)
	s := w.service(w.balancer("one", w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")), false)
	e := do(w, w.createVPCEndpoint, endpointOf(s, w.vpc("10.0.0.0/16"))).VpcEndpoint
	if *e.State != "available" {
		t.Errorf("state is %s", *e.State)
	}
	remove := DeleteVpcEndpointServiceConfigurationsInput{ServiceIds: []string{*s.ServiceId}}
	failed := do(w, w.deleteServiceConfigurations, remove).Unsuccessful
	if len(failed) != 1 || *failed[0].Error.Code != "ExistingVpcEndpointConnections" || *failed[0].Error.Message != "Service has existing active VPC Endpoint connections!" {
		t.Errorf("deleting it: %+v", failed)
	}
	w.deleteEndpoint(e.VpcEndpointId)
	if left := see(w, w.describeEndpointConnections, DescribeVpcEndpointConnectionsInput{}).VpcEndpointConnections; len(left) != 0 {
		t.Errorf("connections are %+v", left)
	}
	if failed := do(w, w.deleteServiceConfigurations, remove).Unsuccessful; len(failed) != 0 {
		t.Errorf("deleting it when nobody is left: %+v", failed)
	}
	notSeen(w, w.describeServiceConfigurations, DescribeVpcEndpointServiceConfigurationsInput{ServiceIds: remove.ServiceIds}, "InvalidVpcEndpointServiceId.NotFound")
}

func TestEndpointsOfAServiceHaveRulesOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	s := w.service(w.balancer("one", w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")), false)
	vpc := w.vpc("10.0.0.0/16")
	w.dnsOn(vpc)
	in := endpointOf(s, vpc, *w.subnet(vpc, "10.0.1.0/24", "b"))
	refused(w, w.createVPCEndpoint, in, "InvalidParameter") // not a zone of the service
	in = endpointOf(s, vpc)
	in.PolicyDocument = new(defaultPolicy("Gateway"))
	refused(w, w.createVPCEndpoint, in, "InvalidParameter")
	in = endpointOf(s, vpc)
	in.PrivateDnsEnabled = new(true)
	refused(w, w.createVPCEndpoint, in, "InvalidParameter")
	in = endpointOf(s, vpc)
	in.VpcEndpointType = new("Gateway")
	refused(w, w.createVPCEndpoint, in, "InvalidParameter")
	in.ServiceName = new("com.amazonaws.vpce.us-west-2.vpce-svc-00000000000000099")
	refused(w, w.createVPCEndpoint, in, "InvalidServiceName")
}

func TestPrincipalsAreAllowedOnce(t *testing.T) {
	w := newWorld(t)
	s := w.service(w.balancer("one", w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")), false)
	type in = ModifyVpcEndpointServicePermissionsInput
	root, role := "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:role/reader"
	added := do(w, w.modifyServicePermissions, in{ServiceId: s.ServiceId, AddAllowedPrincipals: []string{root, role, "*"}}).AddedPrincipals
	if len(added) != 3 || *added[0].PrincipalType != "Account" || *added[1].PrincipalType != "Role" || *added[2].PrincipalType != "All" {
		t.Errorf("added %+v", added)
	}
	if again := do(w, w.modifyServicePermissions, in{ServiceId: s.ServiceId, AddAllowedPrincipals: []string{root}}).AddedPrincipals; len(again) != 0 {
		t.Errorf("added again %+v", again)
	}
	for _, bad := range []string{"", "root", "arn:aws:iam::12:root", "arn:aws:iam::123456789012:role/", "arn:aws:s3:::bucket"} {
		refused(w, w.modifyServicePermissions, in{ServiceId: s.ServiceId, AddAllowedPrincipals: []string{bad}}, "InvalidPrincipal")
	}
	do(w, w.modifyServicePermissions, in{ServiceId: s.ServiceId, RemoveAllowedPrincipals: []string{root, "*"}})
	left := see(w, w.describeServicePermissions, DescribeVpcEndpointServicePermissionsInput{ServiceId: s.ServiceId}).AllowedPrincipals
	if len(left) != 1 || *left[0].Principal != role {
		t.Errorf("left are %+v", left)
	}
}
