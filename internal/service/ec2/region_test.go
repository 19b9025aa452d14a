package ec2

import (
	"strings"
	"testing"
)

func TestZoneIDsFollowAWSsAbbreviations(t *testing.T) {
	for region, want := range map[string]string{
		"us-west-2": "usw2-az1", "us-east-1": "use1-az1", "ap-southeast-1": "apse1-az1", "ap-northeast-3": "apne3-az1",
		"eu-central-1": "euc1-az1", "us-gov-west-1": "usgw1-az1", "ca-central-1": "cac1-az1", "me-south-1": "mes1-az1", "local": "local-az1",
	} {
		if got := zones(region)[0]; got.id != want || got.name != region+"a" {
			t.Errorf("first zone of %s is %+v, want %s", region, got, want)
		}
	}
}

func TestZonesAndRegionsAreListed(t *testing.T) {
	w := newWorld(t)
	all := see(w, w.describeAvailabilityZones, DescribeAvailabilityZonesInput{Filters: filter("state", "available")}).AvailabilityZones
	if len(all) != 4 || *all[3].ZoneName != "us-west-2d" || *all[3].ZoneId != "usw2-az4" || *all[0].GroupName != "us-west-2-zg-1" {
		t.Errorf("zones are %+v", all)
	}
	some := see(w, w.describeAvailabilityZones, DescribeAvailabilityZonesInput{ZoneNames: []string{"us-west-2b"}}).AvailabilityZones
	if len(some) != 1 {
		t.Errorf("by name: %+v", some)
	}
	notSeen(w, w.describeAvailabilityZones, DescribeAvailabilityZonesInput{ZoneNames: []string{"eu-west-1a"}}, "InvalidParameterValue")
	notSeen(w, w.describeAvailabilityZones, DescribeAvailabilityZonesInput{ZoneIds: []string{"euw1-az1"}}, "InvalidParameterValue")
	regions := see(w, w.describeRegions, DescribeRegionsInput{}).Regions
	if len(regions) != 1 || *regions[0].RegionName != "us-west-2" || *regions[0].Endpoint != "ec2.us-west-2.amazonaws.com" {
		t.Errorf("regions are %+v", regions)
	}
	notSeen(w, w.describeRegions, DescribeRegionsInput{RegionNames: []string{"eu-west-1"}}, "InvalidParameterValue")
	attributes := see(w, w.describeAccountAttributes, DescribeAccountAttributesInput{AttributeNames: []string{"supported-platforms"}}).AccountAttributes
	if len(attributes) != 1 || *attributes[0].AttributeValues[0].AttributeValue != "VPC" {
		t.Errorf("attributes are %+v", attributes)
	}
	notSeen(w, w.describeAccountAttributes, DescribeAccountAttributesInput{AttributeNames: []string{"mood"}}, "InvalidParameterValue")
}

func TestDHCPOptionsThatCannotBeKeptAreRefused(t *testing.T) {
	w := newWorld(t)
	create := func(key string, values ...string) CreateDhcpOptionsInput {
		return CreateDhcpOptionsInput{DhcpConfigurations: []NewDhcpConfiguration{{Key: &key, Values: values}}}
	}
	refused(w, w.createDHCPOptions, create("domain-name-servers", "10.0.0.53"), "UnsupportedOperation")
	refused(w, w.createDHCPOptions, create("domain-name-servers", "AmazonProvidedDNS", "10.0.0.53"), "UnsupportedOperation")
	refused(w, w.createDHCPOptions, create("ipv6-address-preferred-lease-time", "140"), "UnsupportedOperation")
	for _, domain := range []string{"corp.example\nnameserver 10.0.0.53", "corp..example", "corp.example  other.example", "a/b", strings.Repeat("a", 64), ".", ""} {
		refused(w, w.createDHCPOptions, create("domain-name", domain), "InvalidParameterValue")
	}
	refused(w, w.createDHCPOptions, create("domain-name", "a.example", "b.example"), "InvalidParameterValue")
	refused(w, w.createDHCPOptions, create("ntp-servers", "time.example"), "InvalidParameterValue")
	refused(w, w.createDHCPOptions, create("ntp-servers", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"), "InvalidParameterValue")
	refused(w, w.createDHCPOptions, create("netbios-node-type", "3"), "InvalidParameterValue")
	do(w, w.createDHCPOptions, create("ntp-servers", "10.0.0.123", "10.0.0.124"))
	do(w, w.createDHCPOptions, create("netbios-node-type", "2"))
	do(w, w.createDHCPOptions, create("domain-name", "corp.example other.example"))
	refused(w, w.createDHCPOptions, create("color", "red"), "InvalidParameterValue")
	refused(w, w.createDHCPOptions, create("domain-name"), "MissingParameter")
	refused(w, w.createDHCPOptions, CreateDhcpOptionsInput{}, "MissingParameter")
	in := create("domain-name", "us-west-2.compute.internal")
	in.DhcpConfigurations = append(in.DhcpConfigurations, create("domain-name-servers", "AmazonProvidedDNS").DhcpConfigurations...)
	id := do(w, w.createDHCPOptions, in).DhcpOptions.DhcpOptionsId
	vpc := w.vpc("10.0.0.0/16")
	do(w, w.associateDHCPOptions, AssociateDhcpOptionsInput{VpcId: vpc, DhcpOptionsId: id})
	refused(w, w.deleteDHCPOptions, DeleteDhcpOptionsInput{DhcpOptionsId: id}, "DependencyViolation")
	do(w, w.associateDHCPOptions, AssociateDhcpOptionsInput{VpcId: vpc, DhcpOptionsId: new("default")})
	do(w, w.deleteDHCPOptions, DeleteDhcpOptionsInput{DhcpOptionsId: id})
	refused(w, w.associateDHCPOptions, AssociateDhcpOptionsInput{VpcId: vpc, DhcpOptionsId: id}, "InvalidDhcpOptionID.NotFound")
}
