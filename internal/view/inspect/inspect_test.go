package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// world is a region with a function in a private subnet and one outside any VPC.
func world(t *testing.T) Config {
	t.Helper()
	store, err := state.Open(state.Config{Region: "us-west-2", Account: "000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Update(func(tx *state.Tx) error {
		tx.Put(&resource.VPC{ID: "vpc-1", CIDRs: []resource.VPCCIDR{{Prefix: netip.MustParsePrefix("10.0.0.0/16")}}, EnableDNSSupport: true})
		tx.Put(&resource.Subnet{ID: "subnet-1", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.1.0/24"), NetworkACLID: "acl-1"})
		tx.Put(&resource.RouteTable{ID: "rtb-1", VPCID: "vpc-1", Associations: []resource.RouteTableAssociation{{ID: "rtbassoc-1", Main: true}}})
		all := netip.MustParsePrefix("0.0.0.0/0")
		tx.Put(&resource.NetworkACL{ID: "acl-1", VPCID: "vpc-1", Entries: []resource.NetworkACLEntry{
			{RuleNumber: 100, Egress: true, Protocol: resource.AllProtocols, Allow: true, CIDR: all}, {RuleNumber: 100, Protocol: resource.AllProtocols, Allow: true, CIDR: all},
		}})
		tx.Put(&resource.SecurityGroup{ID: "sg-1", VPCID: "vpc-1", Rules: []resource.SecurityGroupRule{{ID: "sgr-1", Egress: true, Protocol: resource.AllProtocols, CIDR: all}}})
		tx.Put(&resource.NetworkInterface{ID: "eni-1", VPCID: "vpc-1", SubnetID: "subnet-1", InterfaceType: resource.InterfaceTypeLambda,
			PrivateIPs: []netip.Addr{netip.MustParseAddr("10.0.1.4")}, GroupIDs: []resource.SecurityGroupID{"sg-1"}})
		tx.Put(&resource.Function{Name: "private", VPCConfig: &resource.FunctionVPCConfig{NetworkInterfaceIDs: []resource.NetworkInterfaceID{"eni-1"}}})
		tx.Put(&resource.Function{Name: "public"})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return Config{
		Log: slog.New(slog.DiscardHandler), Store: store, Shutdown: func() {},
		Status:   func() (uint64, error) { return 1, nil },
		Topology: func() *topology.Topology { return topology.Resolve(store.View(), topology.Options{}) },
		Stats:    func(context.Context) (any, error) { return nil, errors.New("no network here") },
	}
}

func ask(t *testing.T, c Config, method, target string) (int, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	New(c).ServeHTTP(w, httptest.NewRequest(method, target, nil))
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s %s: %v: %s", method, target, err, w.Body)
	}
	return w.Code, answer
}

func TestWhyAnswersAboutFunctionsAndInterfaces(t *testing.T) {
	c := world(t)
	for target, want := range map[string]struct {
		reachable bool
		code      string
	}{
		"function=private&service=s3":                           {false, "NO_ROUTE_TO_DESTINATION"},
		"interface=eni-1&service=s3":                            {false, "NO_ROUTE_TO_DESTINATION"},
		"function=private&service=192.0.2.1&port=25":            {false, "NO_ROUTE_TO_DESTINATION"},
		"function=private&service=b.s3.us-west-2.amazonaws.com": {false, "NO_ROUTE_TO_DESTINATION"},
		"function=public&service=s3":                            {true, ""},
	} {
		status, answer := ask(t, c, "GET", "/_culvert/why?"+target)
		code, _ := answer["code"].(string)
		if status != 200 || answer["reachable"] != want.reachable || code != want.code {
			t.Errorf("%s: %d, reachable %v, code %q", target, status, answer["reachable"], code)
		}
	}
}

func TestBadQuestionsAreRefusedWithTheReason(t *testing.T) {
	c := world(t)
	for target, want := range map[string]struct {
		status int
		says   string
	}{
		"why":                                      {400, "say where"},
		"why?service=s3":                           {400, "say who"},
		"why?function=nobody&service=s3":           {404, "nobody"},
		"why?interface=eni-9&service=s3":           {404, "eni-9"},
		"why?function=private&service=dynamo":      {404, "dynamo"},
		"why?function=private&service=s3&port=0":   {400, "port"},
		"why?function=private&service=s3&port=1e9": {400, "port"},
		"nonsense":                                 {404, "nonsense"},
		"stats":                                    {500, "no network here"},
	} {
		status, answer := ask(t, c, "GET", "/_culvert/"+target)
		text, _ := answer["error"].(string)
		if status != want.status || !strings.Contains(text, want.says) {
			t.Errorf("%s: %d %q, want %d and %q", target, status, text, want.status, want.says)
		}
	}
}

func TestOnlyAPostEndsTheRegion(t *testing.T) {
	c := world(t)
	ended := false
	c.Shutdown = func() { ended = true }
	if status, _ := ask(t, c, "GET", "/_culvert/down"); status == 200 || ended {
		t.Errorf("GET: %d, ended %v", status, ended)
	}
	if status, _ := ask(t, c, "POST", "/_culvert/down"); status != 200 || !ended {
		t.Errorf("POST: %d, ended %v", status, ended)
	}
}
