package ec2

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// The DHCP options that mean something here, and the value of the second.
const (
	optionDomainName = "domain-name"
	optionDNSServers = "domain-name-servers"
	amazonDNS        = "AmazonProvidedDNS"
)

// noDHCPOptions is what a VPC has instead of an id when it was told to use the option set "default".
const noDHCPOptions = "default"

// defaultDomain is the domain of private names; see the VPC guide, "DHCP option sets".
func defaultDomain(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

// defaultDHCPOptionsID is the id of the set that new VPCs get. It follows from region and account, so that it
// can be found without being marked.
func defaultDHCPOptionsID(r state.Reader) resource.DHCPOptionsID {
	return resource.DHCPOptionsID("dopt-" + digest("dhcp-options/"+r.Region()+"/"+r.Account(), 17))
}

// digest is n hex digits that follow from a text.
func digest(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:n]
}

func bootstrapDHCPOptions(tx *state.Tx) {
	id := defaultDHCPOptionsID(tx)
	if _, ok := state.Get[*resource.DHCPOptions](tx, id); ok {
		return
	}
	tx.Put(&resource.DHCPOptions{ID: id, Options: map[string][]string{
		optionDomainName: {defaultDomain(tx.Region())},
		optionDNSServers: {amazonDNS},
	}})
}

func (s *ec2) createDHCPOptions(tx *state.Tx, _ *api.Call, in *CreateDhcpOptionsInput) (*CreateDhcpOptionsOutput, error) {
	if len(in.DhcpConfigurations) == 0 {
		return nil, missing("dhcpConfiguration")
	}
	options := map[string][]string{}
	for _, c := range in.DhcpConfigurations {
		if err := checkDHCPOption(value(c.Key), c.Values); err != nil {
			return nil, err
		}
		if _, twice := options[*c.Key]; twice {
			return nil, api.Errorf("InvalidParameterValue", "Duplicate DHCP option '%s' specified.", *c.Key)
		}
		options[*c.Key] = c.Values
	}
	tags, err := newTags(in.TagSpecifications, resource.KindDHCPOptions)
	if err != nil {
		return nil, err
	}
	d := &resource.DHCPOptions{ID: resource.DHCPOptionsID(tx.NewID("dopt")), Options: options, Tags: tags}
	tx.Put(d)
	return &CreateDhcpOptionsOutput{DhcpOptions: new(dhcpOptionsOutput(tx, d))}, nil
}

// maxDHCPServers is how many servers of a kind a set may name.
const maxDHCPServers = 4

// checkDHCPOption refuses what a set may not say, and name servers other than Amazon's: what a workload would then
// resolve, nothing here could explain.
func checkDHCPOption(key string, values []string) error {
	if len(values) == 0 {
		return missing("dhcpConfiguration." + key)
	}
	switch key {
	case optionDomainName:
		if len(values) > 1 || !isSearchDomain(values[0]) {
			return invalidValue(key, strings.Join(values, ","))
		}
		return nil
	case optionDNSServers:
		if !slices.Equal(values, []string{amazonDNS}) {
			return unsupported("DNS servers other than %s are not supported in this region.", amazonDNS)
		}
		return nil
	case "ntp-servers", "netbios-name-servers":
		if len(values) > maxDHCPServers {
			return api.Errorf("InvalidParameterValue", "Too many values for DHCP option %s: up to %d are allowed.", key, maxDHCPServers)
		}
		for _, v := range values {
			if _, err := parseAddress(key, v); err != nil {
				return err
			}
		}
		return nil
	case "netbios-node-type":
		if len(values) > 1 || !slices.Contains([]string{"1", "2", "4", "8"}, values[0]) {
			return invalidValue(key, strings.Join(values, ","))
		}
		return nil
	case "ipv6-address-preferred-lease-time":
		return unsupported("The DHCP option %s is not supported in this region.", key)
	}
	return api.Errorf("InvalidParameterValue", "Value (%s) for parameter name is invalid. Unknown DHCP option", key)
}

// isSearchDomain reports whether a text is one or more domain names, with blanks between: it is written into the
// resolver's configuration of every workload.
func isSearchDomain(s string) bool {
	names := strings.Split(s, " ")
	return len(s) <= 255 && !slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc(strings.Split(name, "."), func(label string) bool {
			return label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != ""
		})
	})
}

func (s *ec2) deleteDHCPOptions(tx *state.Tx, _ *api.Call, in *DeleteDhcpOptionsInput) (*DeleteDhcpOptionsOutput, error) {
	d, err := find[*resource.DHCPOptions](tx, nounDHCPOptions, "dhcpOptionsId", in.DhcpOptionsId)
	if err != nil {
		return nil, err
	}
	if exists(tx, func(v *resource.VPC) bool { return v.DHCPOptionsID == d.ID }) {
		return nil, api.Errorf("DependencyViolation", "The dhcpOptions '%s' has dependencies and cannot be deleted.", d.ID)
	}
	tx.Delete(d)
	return &DeleteDhcpOptionsOutput{}, nil
}

func (s *ec2) associateDHCPOptions(tx *state.Tx, _ *api.Call, in *AssociateDhcpOptionsInput) (*AssociateDhcpOptionsOutput, error) {
	old, err := find[*resource.VPC](tx, vpcnet.VPC, "vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	v := *old
	v.DHCPOptionsID = noDHCPOptions
	if value(in.DhcpOptionsId) != noDHCPOptions {
		d, err := find[*resource.DHCPOptions](tx, nounDHCPOptions, "dhcpOptionsId", in.DhcpOptionsId)
		if err != nil {
			return nil, err
		}
		v.DHCPOptionsID = d.ID
	}
	tx.Put(&v)
	return &AssociateDhcpOptionsOutput{}, nil
}

func (s *ec2) describeDHCPOptions(v *state.View, _ *api.Call, in *DescribeDhcpOptionsInput) (*DescribeDhcpOptionsOutput, error) {
	found, err := named[*resource.DHCPOptions](v, nounDHCPOptions, in.DhcpOptionsIds)
	if err != nil {
		return nil, err
	}
	var all []DhcpOptions
	for _, d := range found {
		all = append(all, dhcpOptionsOutput(v, d))
	}
	l := listing[DhcpOptions]{
		key:  func(d DhcpOptions) string { return *d.DhcpOptionsId },
		tags: func(d DhcpOptions) []Tag { return d.Tags },
		fields: fields[DhcpOptions]{
			"dhcp-options-id": func(d DhcpOptions) []string { return text(d.DhcpOptionsId) },
			"owner-id":        func(d DhcpOptions) []string { return text(d.OwnerId) },
			"key": func(d DhcpOptions) []string {
				return each(d.DhcpConfigurations, func(c DhcpConfiguration) *string { return c.Key })
			},
			"value": func(d DhcpOptions) []string {
				var out []string
				for _, c := range d.DhcpConfigurations {
					out = append(out, each(c.Values, func(v AttributeValue) *string { return v.Value })...)
				}
				return out
			},
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeDhcpOptionsOutput{DhcpOptions: page, NextToken: next}, nil
}

func dhcpOptionsOutput(r state.Reader, d *resource.DHCPOptions) DhcpOptions {
	out := DhcpOptions{DhcpOptionsId: new(string(d.ID)), OwnerId: new(r.Account()), Tags: tagSet(d.Tags)}
	for _, k := range slices.Sorted(maps.Keys(d.Options)) {
		c := DhcpConfiguration{Key: new(k)}
		for _, v := range d.Options[k] {
			c.Values = append(c.Values, AttributeValue{Value: new(v)})
		}
		out.DhcpConfigurations = append(out.DhcpConfigurations, c)
	}
	return out
}
