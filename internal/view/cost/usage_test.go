package cost

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func withUsage(t *testing.T, in Inventory, file string) (Inventory, []string, error) {
	t.Helper()
	u, err := ParseUsage([]byte(file))
	if err != nil {
		return in, nil, err
	}
	return in.With(u)
}

func TestAnInfracostUsageFileIsTrafficToo(t *testing.T) {
	in := twoZones()
	in.Endpoints = []Endpoint{{ID: "vpce-1", VPC: "vpc-1", Service: "sts", Zones: []string{"a"}}}
	in, ignored, err := withUsage(t, in, `
version: 0.1
resource_type_default_usage:
  aws_nat_gateway:
    monthly_data_processed_gb: 7
resource_usage:
  module.net.aws_nat_gateway.blue["a.b"]:
    monthly_data_processed_gb: 10
  aws_vpc_endpoint.anything:
    monthly_data_processed_gb: 2.5
  aws_lambda_function.f:
    monthly_requests: 1000
`)
	want := []Flow{
		{VPC: "vpc-1", Via: "vpce-1", Service: "sts", In: bytesOf(2.5)}, {VPC: "vpc-1", Via: "nat-1", In: bytesOf(10)}, {VPC: "vpc-1", Via: "nat-2", In: bytesOf(7)},
	}
	if diff := cmp.Diff(in.Flows, want); diff != "" || err != nil {
		t.Errorf("%v, -got +want:\n%s", err, diff)
	}
	if diff := cmp.Diff(ignored, []string{"aws_lambda_function.f"}); diff != "" {
		t.Errorf("ignored (-got +want):\n%s", diff)
	}
}

func TestATrafficFileSaysWhoSendsWhatWhere(t *testing.T) {
	in, _, err := withUsage(t, twoZones(), `
traffic:
- {from: orders, service: s3, via: blue, zone: b, cross_zone: true, monthly_out_gb: 1, monthly_in_gb: 2}
- {service: internet, monthly_out_gb: 5}
`)
	want := []Flow{
		{Workload: "orders", VPC: "vpc-1", Zone: "b", Service: "s3", Via: "nat-1", CrossZone: true, Out: bytesOf(1), In: bytesOf(2)},
		{VPC: "vpc-1", Service: "internet", Via: "nat-1", Out: bytesOf(2.5)}, {VPC: "vpc-1", Service: "internet", Via: "nat-2", Out: bytesOf(2.5)},
	}
	if diff := cmp.Diff(in.Flows, want); diff != "" || err != nil {
		t.Errorf("%v, -got +want:\n%s", err, diff)
	}
}

func TestTrafficFilesThatMakeNoSenseAreRefused(t *testing.T) {
	in := twoZones()
	in.Endpoints = []Endpoint{{ID: "vpce-1", VPC: "vpc-1", Service: "sts", Zones: []string{"a"}}}
	for file, want := range map[string]string{
		"":                           "there is nothing below",
		"- a":                        "read the traffic",
		"trafic: []":                 "trafic",
		"traffic: [{gb: 5}]":         "gb",
		"traffic: [{monthly_gb: 5}]": "traffic 1: no service",
		"traffic: [{service: s3, monthly_gb: -5}]":                                                                                      "-5 is no amount",
		"traffic: [{service: s3, monthly_gb: .nan}]":                                                                                    "read the traffic",
		"traffic: [{service: s3, monthly_gb: lots}]":                                                                                    "read the traffic",
		"traffic: [{service: s3, monthly_gb: 5, monthly_in_gb: 5}]":                                                                     "both ways together",
		"traffic: [{service: internet, monthly_gb: 5}]":                                                                                 "only what goes out is paid for",
		"traffic: [{service: s3, monthly_gb: 5, via: nobody}]":                                                                          `via "nobody" is neither`,
		"traffic: [{service: s3, monthly_gb: 5, via: vpce-1}]":                                                                          "leads to sts, not to s3",
		"resource_usage: {aws_nat_gateway.green: {monthly_data_processed_gb: 5}}":                                                       "no aws_nat_gateway has this id or Name tag",
		"resource_usage: {aws_nat_gateway.blue: {monthly_gb: 5}}":                                                                       "there is no monthly_data_processed_gb",
		"resource_usage: {aws_nat_gateway.blue: {monthly_data_processed_gb: a}}":                                                        "is no amount of traffic",
		"resource_usage: {aws_nat_gateway.blue: {monthly_data_processed_gb: 1}, aws_nat_gateway.nat-1: {monthly_data_processed_gb: 2}}": "given twice",
	} {
		if _, _, err := withUsage(t, in, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", file, err, want)
		}
	}
	if _, _, err := withUsage(t, Inventory{}, "traffic: [{service: s3, monthly_gb: 5}]"); err == nil || !strings.Contains(err.Error(), "nothing in this region leads to s3") {
		t.Errorf("a region with no road: got %v", err)
	}
	if _, _, err := withUsage(t, Inventory{}, "resource_usage: {aws_nat_gateway.x: {monthly_data_processed_gb: 5}}"); err == nil || !strings.Contains(err.Error(), "there is no aws_nat_gateway") {
		t.Errorf("a region without NAT gateways: got %v", err)
	}
}
