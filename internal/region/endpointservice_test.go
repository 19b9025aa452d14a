package region_test

import (
	"regexp"
	"testing"
)

// firstInterface is the id of the first interface in an answer.
func firstInterface(t *testing.T, answer string) string {
	t.Helper()
	id := regexp.MustCompile(`eni-[0-9a-f]{17}`).FindString(answer)
	if id == "" {
		t.Fatalf("the answer has no interface:\n%s", answer)
	}
	return id
}

// TestAnEndpointServiceJoinsNetworksWithEqualAddresses: a consumer whose VPC has the same addresses as the provider's
// reaches the workload, once the endpoint is accepted, and only through it.
func TestAnEndpointServiceJoinsNetworksWithEqualAddresses(t *testing.T) {
	p := newProvider(t)
	p.serve()
	p.letIn(p.address + "/32")
	service := ask(t, p.client, "ec2", "CreateVpcEndpointServiceConfiguration", "NetworkLoadBalancerArn.1="+p.balancer)
	id, name := element(t, service, "serviceId"), element(t, service, "serviceName")

	vpc, subnet, group := newPlace(t, p.client)
	consumer, _ := newInterface(t, p.client, subnet, group)
	newInterface(t, p.client, subnet, group) // has the address that the load balancer has in its VPC
	guard := element(t, ask(t, p.client, "ec2", "CreateSecurityGroup", "VpcId="+vpc, "GroupName=endpoint", "GroupDescription=endpoint"), "groupId")
	made := ask(t, p.client, "ec2", "CreateVpcEndpoint", "VpcEndpointType=Interface", "VpcId="+vpc, "ServiceName="+name, "SubnetId.1="+subnet, "SecurityGroupId.1="+guard)
	endpoint, eni := element(t, made, "vpcEndpointId"), firstInterface(t, made)
	address := element(t, ask(t, p.client, "ec2", "DescribeNetworkInterfaces", "NetworkInterfaceId.1="+eni), "privateIpAddress")
	p.until("healthy")

	if got := p.say(consumer, address+":80"); got != "no connection" {
		t.Errorf("before it is accepted: %q", got)
	}
	ask(t, p.client, "ec2", "AcceptVpcEndpointConnections", "ServiceId="+id, "VpcEndpointId.1="+endpoint)
	if got := p.say(consumer, address+":80"); got != "no connection" {
		t.Errorf("while the endpoint's group lets nobody in: %q", got)
	}
	ask(t, p.client, "ec2", "AuthorizeSecurityGroupIngress", "GroupId="+guard, "IpPermissions.1.IpProtocol=tcp",
		"IpPermissions.1.FromPort=80", "IpPermissions.1.ToPort=80", "IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/16")
	if got, want := p.say(consumer, address+":80"), p.address+" says hello"; got != want {
		t.Errorf("through the endpoint: %q, want %q", got, want)
	}
	if got := p.say(consumer, p.address+":80"); got != "no connection" {
		t.Errorf("past the endpoint: %q", got)
	}
	if got := p.say(consumer, address+":443"); got != "no connection" {
		t.Errorf("where the load balancer does not listen: %q", got)
	}
	ask(t, p.client, "ec2", "RejectVpcEndpointConnections", "ServiceId="+id, "VpcEndpointId.1="+endpoint)
	if got := p.say(consumer, address+":80"); got != "no connection" {
		t.Errorf("after it was rejected: %q", got)
	}
}

// TestALoadBalancersGroupsSeeTheConsumer: the rules for who comes in hold for endpoints too, unless they are told not to.
func TestALoadBalancersGroupsSeeTheConsumer(t *testing.T) {
	p := newProvider(t)
	p.serve()
	guard := element(t, ask(t, p.client, "ec2", "CreateSecurityGroup", "VpcId="+p.vpc, "GroupName=balancer", "GroupDescription=balancer"), "groupId")
	ask(t, p.client, "elasticloadbalancing", "DeleteLoadBalancer", "LoadBalancerArn="+p.balancer)
	p.balancer = element(t, ask(t, p.client, "elasticloadbalancing", "CreateLoadBalancer", "Name=guarded", "Type=network", "Scheme=internal",
		"Subnets.member.1="+p.subnet, "SecurityGroups.member.1="+guard), "LoadBalancerArn")
	ask(t, p.client, "elasticloadbalancing", "CreateListener", "LoadBalancerArn="+p.balancer, "Protocol=TCP", "Port=80",
		"DefaultActions.member.1.Type=forward", "DefaultActions.member.1.TargetGroupArn="+p.groupARN)
	p.letIn("10.0.0.0/16")
	p.until("healthy")
	service := ask(t, p.client, "ec2", "CreateVpcEndpointServiceConfiguration", "NetworkLoadBalancerArn.1="+p.balancer, "AcceptanceRequired=false")
	vpc, subnet, group := newPlace(t, p.client)
	ask(t, p.client, "ec2", "AuthorizeSecurityGroupIngress", "GroupId="+group, "IpPermissions.1.IpProtocol=-1", "IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/16")
	consumer, seen := newInterface(t, p.client, subnet, group)
	made := ask(t, p.client, "ec2", "CreateVpcEndpoint", "VpcEndpointType=Interface", "VpcId="+vpc, "ServiceName="+element(t, service, "serviceName"),
		"SubnetId.1="+subnet, "SecurityGroupId.1="+group)
	eni := firstInterface(t, made)
	address := element(t, ask(t, p.client, "ec2", "DescribeNetworkInterfaces", "NetworkInterfaceId.1="+eni), "privateIpAddress")

	if got := p.say(consumer, address+":80"); got != "reset" {
		t.Errorf("a group that lets nobody in: %q, want reset", got)
	}
	ask(t, p.client, "ec2", "AuthorizeSecurityGroupIngress", "GroupId="+guard, "IpPermissions.1.IpProtocol=tcp",
		"IpPermissions.1.FromPort=80", "IpPermissions.1.ToPort=80", "IpPermissions.1.IpRanges.1.CidrIp="+seen+"/32")
	if got := p.say(consumer, address+":80"); len(got) < 10 {
		t.Errorf("a group that lets the consumer in: %q", got)
	}
	ask(t, p.client, "ec2", "RevokeSecurityGroupIngress", "GroupId="+guard, "IpPermissions.1.IpProtocol=tcp",
		"IpPermissions.1.FromPort=80", "IpPermissions.1.ToPort=80", "IpPermissions.1.IpRanges.1.CidrIp="+seen+"/32")
	ask(t, p.client, "elasticloadbalancing", "SetSecurityGroups", "LoadBalancerArn="+p.balancer, "SecurityGroups.member.1="+guard,
		"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic=off")
	if got := p.say(consumer, address+":80"); len(got) < 10 {
		t.Errorf("a load balancer that trusts endpoints: %q", got)
	}
}
