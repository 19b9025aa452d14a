package resource

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Quota names a limit of how much there may be.
type Quota string

// The quotas of a VPC network; see the VPC guide, "Amazon VPC quotas".
const (
	QuotaVPCs                 Quota = "vpcs"
	QuotaSubnets              Quota = "subnets-per-vpc"
	QuotaBlocks               Quota = "ipv4-blocks-per-vpc"
	QuotaIPv6Blocks           Quota = "ipv6-blocks-per-vpc"
	QuotaInternetGateways     Quota = "internet-gateways"
	QuotaEgressOnlyGateways   Quota = "egress-only-internet-gateways"
	QuotaNATGateways          Quota = "nat-gateways-per-zone"
	QuotaAddresses            Quota = "elastic-ips"
	QuotaInterfaces           Quota = "network-interfaces"
	QuotaRouteTables          Quota = "route-tables-per-vpc"
	QuotaRoutes               Quota = "routes-per-table"
	QuotaSecurityGroups       Quota = "security-groups"
	QuotaRules                Quota = "rules-per-security-group"
	QuotaGroupsPerInterface   Quota = "security-groups-per-interface"
	QuotaNetworkACLs          Quota = "network-acls-per-vpc"
	QuotaNetworkACLEntries    Quota = "rules-per-network-acl"
	QuotaPrefixLists          Quota = "prefix-lists"
	QuotaInterfaceEndpoints   Quota = "interface-endpoints-per-vpc"
	QuotaGatewayEndpoints     Quota = "gateway-endpoints"
	QuotaPeerings             Quota = "peerings-per-vpc"
	QuotaPrefixListVersions   Quota = "versions-per-prefix-list"
	QuotaPrefixListEntries    Quota = "entries-per-prefix-list"
	maxRulesTimesGroups             = 1000
	practicallyUnlimitedQuota       = 1_000_000
)

// quotaRange is what AWS gives without being asked, and at most.
type quotaRange struct{ usual, most int }

func quotaRanges() map[Quota]quotaRange {
	return map[Quota]quotaRange{
		QuotaVPCs:               {5, practicallyUnlimitedQuota},
		QuotaSubnets:            {200, practicallyUnlimitedQuota},
		QuotaBlocks:             {5, 50},
		QuotaIPv6Blocks:         {5, 50},
		QuotaInternetGateways:   {5, practicallyUnlimitedQuota},
		QuotaEgressOnlyGateways: {5, practicallyUnlimitedQuota},
		QuotaNATGateways:        {5, practicallyUnlimitedQuota},
		QuotaAddresses:          {5, practicallyUnlimitedQuota},
		QuotaInterfaces:         {5000, practicallyUnlimitedQuota},
		QuotaRouteTables:        {200, practicallyUnlimitedQuota},
		QuotaRoutes:             {500, 1000},
		QuotaSecurityGroups:     {2500, practicallyUnlimitedQuota},
		QuotaRules:              {60, 1000},
		QuotaGroupsPerInterface: {5, 16},
		QuotaNetworkACLs:        {200, practicallyUnlimitedQuota},
		QuotaNetworkACLEntries:  {20, 40},
		QuotaPrefixLists:        {100, practicallyUnlimitedQuota},
		QuotaInterfaceEndpoints: {50, practicallyUnlimitedQuota},
		QuotaGatewayEndpoints:   {20, practicallyUnlimitedQuota},
		QuotaPeerings:           {50, 125},
		QuotaPrefixListVersions: {1000, 1000},
		QuotaPrefixListEntries:  {1000, 1000},
	}
}

// Quotas are those that differ from AWS's usual ones.
type Quotas map[Quota]int

// Of is the limit that holds.
func (q Quotas) Of(name Quota) int {
	if n, ok := q[name]; ok {
		return n
	}
	return quotaRanges()[name].usual
}

// All are the limits that hold, of every name.
func (q Quotas) All() Quotas {
	out := Quotas{}
	for name := range quotaRanges() {
		out[name] = q.Of(name)
	}
	return out
}

// Texts are the quotas as ParseQuotas reads them, sorted.
func (q Quotas) Texts() []string {
	out := []string{}
	for name, n := range q {
		out = append(out, fmt.Sprintf("%s=%d", name, n))
	}
	slices.Sort(out)
	return out
}

// ParseQuotas reads name=value. AWS raises a quota up to a limit only, and so does this.
func ParseQuotas(texts []string) (Quotas, error) {
	out := Quotas{}
	for _, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		limits, ok := quotaRanges()[Quota(name)]
		if !ok {
			return nil, fmt.Errorf("there is no quota %q; there are %s", name, strings.Join(quotaNames(), ", "))
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > limits.most {
			return nil, fmt.Errorf("quota %s is %q: it must be a number from 1 to %d", name, value, limits.most)
		}
		out[Quota(name)] = n
	}
	if groups, rules := out.Of(QuotaGroupsPerInterface), out.Of(QuotaRules); groups*rules > maxRulesTimesGroups {
		return nil, fmt.Errorf("quotas %s and %s are %d and %d: AWS does not let their product exceed %d", QuotaGroupsPerInterface, QuotaRules, groups, rules, maxRulesTimesGroups)
	}
	return out, nil
}

func quotaNames() []string {
	var out []string
	for name := range quotaRanges() {
		out = append(out, string(name))
	}
	slices.Sort(out)
	return out
}
