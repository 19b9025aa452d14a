package iam

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func TestAResourceBringsItsKeys(t *testing.T) {
	r := newRegion(t)
	tags := resource.Tags{"Team": "net"}
	const balancer = "arn:aws:elasticloadbalancing:us-west-2:" + account + ":loadbalancer/net/n/1"
	if _, err := r.store.Update(func(tx *state.Tx) error {
		for _, one := range []state.Resource{
			&resource.VPC{ID: "vpc-1", Tags: tags},
			&resource.NetworkInterface{ID: "eni-1", VPCID: "vpc-1", SubnetID: "subnet-1", AvailabilityZone: "us-west-2a", Tags: tags},
			&resource.VPCEndpoint{ID: "vpce-1", VPCID: "vpc-1", ServiceName: "com.amazonaws.us-west-2.s3"},
			&resource.Role{Name: "r", Tags: tags}, &resource.Function{Name: "f", Tags: tags}, &resource.LogGroup{Name: "/g", Tags: tags},
			&resource.LoadBalancer{ARN: balancer, Tags: tags},
		} {
			tx.Put(one)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	const ec2, vpcARN = "arn:aws:ec2:us-west-2:" + account + ":", "arn:aws:ec2:us-west-2:" + account + ":vpc/vpc-1"
	for arn, want := range map[string]map[string][]string{
		ec2 + "vpc/vpc-1": {"aws:resourcetag/team": {"net"}, "ec2:resourcetag/team": {"net"}, "ec2:vpcid": {"vpc-1"}},
		ec2 + "network-interface/eni-1": {
			"aws:resourcetag/team": {"net"}, "ec2:resourcetag/team": {"net"}, "ec2:vpc": {vpcARN},
			"ec2:subnet": {ec2 + "subnet/subnet-1"}, "ec2:availabilityzone": {"us-west-2a"},
		},
		ec2 + "vpc-endpoint/vpce-1":                                   {"ec2:vpc": {vpcARN}, "ec2:vpceservicename": {"com.amazonaws.us-west-2.s3"}},
		ec2 + "vpc/*":                                                 nil,
		"arn:aws:ec2:us-west-2:111111111111:vpc/vpc-1":                nil,
		"arn:aws:iam::" + account + ":role/r":                         {"aws:resourcetag/team": {"net"}, "iam:resourcetag/team": {"net"}},
		"arn:aws:lambda:us-west-2:" + account + ":function:f:$LATEST": {"aws:resourcetag/team": {"net"}},
		"arn:aws:logs:us-west-2:" + account + ":log-group:/g:*":       {"aws:resourcetag/team": {"net"}},
		balancer:         {"aws:resourcetag/team": {"net"}, "elasticloadbalancing:resourcetag/team": {"net"}},
		"*":              nil,
		"arn:aws:s3:::b": nil,
	} {
		if diff := cmp.Diff(want, resourceKeys(r.store.View(), arn)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", arn, diff)
		}
	}
}

func TestABoundaryCanBeDemanded(t *testing.T) {
	r := newRegion(t)
	must[CreateUserOutput](t, r, "CreateUser", &CreateUserInput{UserName: p("ann"), PermissionsBoundary: p(denyAll)})
	r.role(t, "free")
	conditions := func(name string, in any) map[string][]string {
		for _, o := range r.Definition().Operations {
			if o.Name == name {
				return o.Conditions(r.store.View(), in, "*")
			}
		}
		t.Fatalf("there is no %s", name)
		return nil
	}
	for _, c := range []struct {
		name string
		in   any
		want string
	}{
		{"CreateRole", &CreateRoleInput{RoleName: p("x"), PermissionsBoundary: p(vpcAccess)}, vpcAccess},
		{"CreateUser", &CreateUserInput{UserName: p("bob")}, ""},
		{"AttachUserPolicy", &AttachUserPolicyInput{UserName: p("ann"), PolicyArn: p(vpcAccess)}, denyAll},
		{"PutUserPermissionsBoundary", &PutUserPermissionsBoundaryInput{UserName: p("ann"), PermissionsBoundary: p(vpcAccess)}, vpcAccess},
		{"PutRolePolicy", &PutRolePolicyInput{RoleName: p("free")}, ""},
	} {
		got := conditions(c.name, c.in)["iam:permissionsboundary"]
		if c.want == "" && got != nil || c.want != "" && (len(got) != 1 || got[0] != c.want) {
			t.Errorf("%s: %v, want %q", c.name, got, c.want)
		}
	}
	if got := conditions("AttachUserPolicy", &AttachUserPolicyInput{UserName: p("ann"), PolicyArn: p(vpcAccess)})["iam:policyarn"]; len(got) != 1 {
		t.Errorf("iam:PolicyARN beside it: %v", got)
	}
	served := map[string]bool{}
	for _, o := range r.Definition().Operations {
		served[o.Name] = true
	}
	for _, name := range bounded {
		if !served[name] {
			t.Errorf("%s is no operation", name)
		}
	}
}
