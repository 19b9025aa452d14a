package ec2

import (
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// zone is an availability zone.
type zone struct{ name, id string }

// zones are the region's availability zones. AWS has three in most regions.
func zones(region string) []zone {
	count := 3
	switch region {
	case "us-east-1":
		count = 6
	case "us-west-2":
		count = 4
	}
	var out []zone
	for i := range count {
		letter := string(rune('a' + i))
		out = append(out, zone{region + letter, zoneRegion(region) + "-az" + strconv.Itoa(i+1)})
	}
	return out
}

// zoneRegion is the region's part of a zone id: us-west-2 is usw2, ap-southeast-1 is apse1.
func zoneRegion(region string) string {
	short := map[string]string{"northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw"}
	var out strings.Builder
	for i, part := range strings.Split(region, "-") {
		switch s, ok := short[part]; {
		case ok:
			out.WriteString(s)
		case i == 0 || part == "":
			out.WriteString(part)
		default:
			out.WriteByte(part[0])
		}
	}
	return out.String()
}

// findZone finds a zone by its name or its id; the first zone if neither is given.
func findZone(region string, name, id *string) (zone, error) {
	all := zones(region)
	if !given(name) && !given(id) {
		return all[0], nil
	}
	for _, z := range all {
		if (!given(name) || z.name == *name) && (!given(id) || z.id == *id) {
			return z, nil
		}
	}
	parameter, wrong := "availabilityZone", value(name)
	if wrong == "" {
		parameter, wrong = "availabilityZoneId", value(id)
	}
	var names []string
	for _, z := range all {
		names = append(names, z.name)
	}
	return zone{}, api.Errorf("InvalidParameterValue",
		"Value (%s) for parameter %s is invalid. Subnets can currently only be created in the following availability zones: %s.",
		wrong, parameter, strings.Join(names, ", "))
}

func (s *ec2) describeAvailabilityZones(v *state.View, _ *api.Call, in *DescribeAvailabilityZonesInput) (*DescribeAvailabilityZonesOutput, error) {
	all := zones(v.Region())
	for _, n := range in.ZoneNames {
		if !slices.ContainsFunc(all, func(z zone) bool { return z.name == n }) {
			return nil, api.Errorf("InvalidParameterValue", "Invalid availability zone: [%s]", n)
		}
	}
	for _, n := range in.ZoneIds {
		if !slices.ContainsFunc(all, func(z zone) bool { return z.id == n }) {
			return nil, api.Errorf("InvalidParameterValue", "Invalid availability zone-id: [%s]", n)
		}
	}
	var found []AvailabilityZone
	for _, z := range all {
		if (len(in.ZoneNames) == 0 || slices.Contains(in.ZoneNames, z.name)) && (len(in.ZoneIds) == 0 || slices.Contains(in.ZoneIds, z.id)) {
			found = append(found, zoneOutput(v.Region(), z))
		}
	}
	l := listing[AvailabilityZone]{
		key: func(z AvailabilityZone) string { return *z.ZoneName },
		fields: fields[AvailabilityZone]{
			"group-name":    func(z AvailabilityZone) []string { return text(z.GroupName) },
			"opt-in-status": func(z AvailabilityZone) []string { return text(z.OptInStatus) },
			"region-name":   func(z AvailabilityZone) []string { return text(z.RegionName) },
			"state":         func(z AvailabilityZone) []string { return text(z.State) },
			"zone-id":       func(z AvailabilityZone) []string { return text(z.ZoneId) },
			"zone-name":     func(z AvailabilityZone) []string { return text(z.ZoneName) },
			"zone-type":     func(z AvailabilityZone) []string { return text(z.ZoneType) },
			"message":       none[AvailabilityZone],

			"group-long-name":  none[AvailabilityZone],
			"parent-zone-id":   none[AvailabilityZone],
			"parent-zone-name": none[AvailabilityZone],
		},
	}
	page, _, err := l.answer(found, in.Filters, nil, nil)
	if err != nil {
		return nil, err
	}
	return &DescribeAvailabilityZonesOutput{AvailabilityZones: page}, nil
}

// zoneIDOfInterface is the id of the zone that an interface is in: us-west-2a is usw2-az1.
func zoneIDOfInterface(n NetworkInterface) []string {
	name := value(n.AvailabilityZone)
	if name == "" {
		return nil
	}
	for _, z := range zones(name[:len(name)-1]) {
		if z.name == name {
			return []string{z.id}
		}
	}
	return nil
}

func zoneOutput(region string, z zone) AvailabilityZone {
	return AvailabilityZone{
		GroupName:          new(region + "-zg-1"),
		Messages:           []AvailabilityZoneMessage{},
		NetworkBorderGroup: new(region),
		OptInStatus:        new("opt-in-not-required"),
		RegionName:         new(region),
		State:              new("available"),
		ZoneId:             new(z.id),
		ZoneName:           new(z.name),
		ZoneType:           new("availability-zone"),
	}
}

// describeRegions knows one region: this one.
func (s *ec2) describeRegions(v *state.View, _ *api.Call, in *DescribeRegionsInput) (*DescribeRegionsOutput, error) {
	for _, n := range in.RegionNames {
		if n != v.Region() {
			return nil, api.Errorf("InvalidParameterValue", "Invalid region name: [%s]", n)
		}
	}
	l := listing[Region]{
		key: func(r Region) string { return *r.RegionName },
		fields: fields[Region]{
			"endpoint":      func(r Region) []string { return text(r.Endpoint) },
			"opt-in-status": func(r Region) []string { return text(r.OptInStatus) },
			"region-name":   func(r Region) []string { return text(r.RegionName) },
		},
	}
	found := []Region{{
		Endpoint:    new("ec2." + v.Region() + ".amazonaws.com"),
		OptInStatus: new("opt-in-not-required"),
		RegionName:  new(v.Region()),
	}}
	page, _, err := l.answer(found, in.Filters, nil, nil)
	if err != nil {
		return nil, err
	}
	return &DescribeRegionsOutput{Regions: page}, nil
}

func (s *ec2) describeAccountAttributes(r *state.View, _ *api.Call, in *DescribeAccountAttributesInput) (*DescribeAccountAttributesOutput, error) {
	all := map[string]string{
		"supported-platforms":                   "VPC",
		"default-vpc":                           "none",
		"max-instances":                         "0",
		"vpc-max-security-groups-per-interface": strconv.Itoa(r.Quota(resource.QuotaGroupsPerInterface)),
		"max-elastic-ips":                       strconv.Itoa(min(r.Quota(resource.QuotaAddresses), s.publicAddressCount())),
		"vpc-max-elastic-ips":                   strconv.Itoa(min(r.Quota(resource.QuotaAddresses), s.publicAddressCount())),
	}
	if v, ok := defaultVPC(r); ok {
		all["default-vpc"] = string(v.ID)
	}
	names := in.AttributeNames
	if len(names) == 0 {
		names = []string{"supported-platforms", "default-vpc", "max-instances", "vpc-max-security-groups-per-interface", "max-elastic-ips", "vpc-max-elastic-ips"}
	}
	out := &DescribeAccountAttributesOutput{}
	for _, n := range names {
		v, ok := all[n]
		if !ok {
			return nil, invalidValue("attributeName", n)
		}
		out.AccountAttributes = append(out.AccountAttributes, AccountAttribute{
			AttributeName:   new(n),
			AttributeValues: []AccountAttributeValue{{AttributeValue: new(v)}},
		})
	}
	return out, nil
}
