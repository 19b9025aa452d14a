package topology

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// ownSuffix ends the names that belong to an endpoint itself and that anybody may resolve.
const ownSuffix = ".vpce.amazonaws.com"

func (in *inputs) addEndpoints(vpc *VPC, o Options) {
	for _, e := range in.endpoints[vpc.ID] {
		endpoint := &Endpoint{
			ID: e.ID, VPCID: vpc.ID, Type: e.Type, ServiceName: e.ServiceName,
			Service: serviceOf(in.reader.Region(), e.ServiceName),
		}
		if strings.HasPrefix(e.ServiceName, ownServices) {
			own, ok := state.Get[*resource.EndpointService](in.reader, endpoint.Service)
			if !ok {
				continue // nothing is behind it any more
			}
			endpoint.LoadBalancers = own.LoadBalancers
		}
		if e.State != stateAvailable {
			if e.State == resource.EndpointPendingAcceptance || e.State == resource.EndpointRejected {
				endpoint.State = e.State
				in.completeInterface(vpc, endpoint, e, o)
				vpc.Unaccepted = append(vpc.Unaccepted, endpoint)
			}
			continue
		}
		if e.Type == resource.EndpointTypeGateway {
			in.completeGateway(endpoint, e)
		} else {
			in.completeInterface(vpc, endpoint, e, o)
		}
		vpc.Endpoints = append(vpc.Endpoints, endpoint)
	}
}

// ownServices begins the names of services that are not AWS's.
const ownServices = "com.amazonaws.vpce."

// serviceOf takes the service out of a name: com.amazonaws.us-west-2.s3 is s3, com.amazonaws.iam is iam. An endpoint
// service's is its id.
func serviceOf(region, name string) string {
	if id, ok := strings.CutPrefix(name, ownServices+region+"."); ok {
		return id
	}
	s := strings.TrimPrefix(name, "com.amazonaws.")
	return strings.TrimPrefix(s, region+".")
}

func (in *inputs) completeGateway(endpoint *Endpoint, e *resource.VPCEndpoint) {
	endpoint.RouteTableIDs = slices.Sorted(slices.Values(e.RouteTableIDs))
	if list := in.awsLists[e.ServiceName]; list != nil {
		endpoint.PrefixListID = list.ID
		endpoint.Prefixes = prefixes(list)
	}
}

func (in *inputs) completeInterface(vpc *VPC, endpoint *Endpoint, e *resource.VPCEndpoint, o Options) {
	zones := map[string][]netip.Addr{}
	var all []netip.Addr
	for _, id := range slices.Sorted(slices.Values(e.NetworkInterfaceIDs)) {
		eni := vpc.ENI(id)
		if eni == nil {
			continue
		}
		endpoint.ENIs = append(endpoint.ENIs, id)
		az := in.zoneOf(eni)
		zones[az] = append(zones[az], eni.Address())
		all = append(all, eni.Address())
	}
	region := in.reader.Region()
	endpoint.Names = append(endpoint.Names, Name{OwnName(region, e, ""), all})
	for _, az := range slices.Sorted(maps.Keys(zones)) {
		endpoint.Names = append(endpoint.Names, Name{OwnName(region, e, az), zones[az]})
	}
	if endpoint.LoadBalancers == nil { // endpoint services have no private names
		endpoint.PrivateDNS, endpoint.PrivateDNSReason = privateDNS(vpc, e, o)
	}
	if endpoint.PrivateDNS {
		for _, n := range PrivateNames(region, endpoint.Service) {
			endpoint.Names = append(endpoint.Names, Name{n, all})
		}
	}
	slices.SortFunc(endpoint.Names, func(a, b Name) int { return cmp.Compare(a.Pattern, b.Pattern) })
}

func (in *inputs) zoneOf(eni *ENI) string {
	for _, s := range in.subnets[eni.VPCID] {
		if s.ID == eni.SubnetID {
			return s.AvailabilityZone
		}
	}
	return ""
}

// OwnName is an endpoint's own DNS name, for one zone or, with an empty zone, for all. S3's begin with a
// wildcard that clients replace by bucket, accesspoint or control.
func OwnName(region string, e *resource.VPCEndpoint, zone string) string {
	service := serviceOf(region, e.ServiceName)
	label := string(e.ID) + "-" + e.DNSSuffix
	if zone != "" {
		label += "-" + zone
	}
	name := label + "." + service + "." + region + ownSuffix
	if service == "s3" {
		name = "*." + name
	}
	return strings.ToLower(name)
}

// PrivateNames are the public names of a service that private DNS takes over. S3's dual-stack, FIPS, website
// and legacy global names are not among them.
func PrivateNames(region, service string) []string {
	base := region + ".amazonaws.com"
	switch service {
	case "s3":
		var out []string
		for _, s := range []string{"s3", "s3-accesspoint", "s3-control"} {
			out = append(out, s+"."+base, "*."+s+"."+base)
		}
		return out
	case "iam":
		return []string{"iam.amazonaws.com"}
	case "execute-api":
		return []string{"*.execute-api." + base}
	case "ecr.api":
		return []string{"api.ecr." + base}
	case "ecr.dkr":
		return []string{"dkr.ecr." + base, "*.dkr.ecr." + base}
	case "kinesis-streams":
		return []string{"kinesis." + base}
	case "kinesis-firehose":
		return []string{"firehose." + base}
	case "sagemaker.api", "sagemaker.runtime":
		_, part, _ := strings.Cut(service, ".")
		return []string{part + ".sagemaker." + base}
	default:
		return []string{service + "." + base}
	}
}

// privateDNS says whether the private names are in force, and why if that needs a word.
func privateDNS(vpc *VPC, e *resource.VPCEndpoint, o Options) (on bool, reason string) {
	reason = privateDNSOff(vpc, e)
	if reason == "" {
		return true, ""
	}
	if o.AssumePrivateDNS {
		return true, "assumed on by --assume-private-dns; in AWS it is off: " + reason
	}
	return false, reason
}

func privateDNSOff(vpc *VPC, e *resource.VPCEndpoint) string {
	switch {
	case !e.PrivateDNSEnabled:
		return "private_dns_enabled is false"
	case !vpc.DNSSupport:
		return fmt.Sprintf("enable_dns_support of %s is false", vpc.ID)
	case !vpc.DNSHostnames:
		return fmt.Sprintf("enable_dns_hostnames of %s is false", vpc.ID)
	case e.PrivateDNSOnlyForInboundResolver:
		return "private_dns_only_for_inbound_resolver_endpoint is true, so queries from inside the VPC get public answers"
	default:
		return ""
	}
}
