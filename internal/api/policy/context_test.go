package policy

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
)

func TestAnEndpointHidesTheSourceAddressAndShowsItself(t *testing.T) {
	call := &api.Call{
		Region: "us-west-2", Account: account, Time: time.Unix(1767225600, 0),
		Caller: api.Caller{
			Type: api.AssumedRole, Account: account, ARN: session, RoleARN: roleARN, UserID: "AROAX:s1",
			SessionKeys: map[string]string{"lambda:sourcefunctionarn": "arn:f"}, IssuedAt: time.Unix(1767225000, 0),
		},
		Origin: api.Origin{
			Door: api.DoorEndpoint, SourceIP: netip.MustParseAddr("10.0.1.5"), VPCEndpointID: "vpce-1", VPCID: "vpc-1",
		},
	}
	want := map[string][]string{
		"aws:principaltype": {"AssumedRole"}, "aws:principalaccount": {account}, "aws:principalarn": {roleARN},
		"aws:userid": {"AROAX:s1"}, "aws:vpcsourceip": {"10.0.1.5"}, "aws:sourcevpce": {"vpce-1"}, "aws:sourcevpc": {"vpc-1"},
		"aws:currenttime": {"2026-01-01T00:00:00Z"}, "aws:epochtime": {"1767225600"}, "aws:requestedregion": {"us-west-2"},
		"aws:sourcevpcarn": {"arn:aws:ec2:us-west-2:000000000000:vpc/vpc-1"}, "aws:vpceaccount": {account},
		"aws:multifactorauthpresent": {"false"}, "aws:tokenissuetime": {"2025-12-31T23:50:00Z"}, "lambda:sourcefunctionarn": {"arn:f"},
		"aws:securetransport": {"false"}, "aws:viaawsservice": {"false"}, "aws:principalisawsservice": {"false"},
	}
	if diff := cmp.Diff(want, Context(call)); diff != "" {
		t.Errorf("through the endpoint (-want +got):\n%s", diff)
	}

	call.Origin = api.Origin{Door: api.DoorHost, SourceIP: netip.MustParseAddr("127.0.0.1"), VPCEndpointID: "ignored", Secure: true}
	got := Context(call)
	if diff := cmp.Diff([]string{"127.0.0.1"}, got["aws:sourceip"]); diff != "" {
		t.Errorf("from the host (-want +got):\n%s", diff)
	}
	for _, key := range []string{"aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip"} {
		if _, ok := got[key]; ok {
			t.Errorf("from the host there is %s", key)
		}
	}
}
