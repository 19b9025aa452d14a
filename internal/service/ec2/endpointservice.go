package ec2

import (
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// endpointService is a service that endpoints can lead to.
type endpointService struct {
	service string   // s3
	types   []string // of endpoints

	own *resource.EndpointService // nil: AWS's
}

// endpointServices are the services of AWS that endpoints can lead to.
func endpointServices() []endpointService {
	var out []endpointService
	for _, s := range topology.EndpointServices() {
		out = append(out, endpointService{service: s.Service, types: s.Types})
	}
	return out
}

func (e endpointService) name(region string) string {
	if e.own != nil {
		return e.own.Name(region)
	}
	return "com.amazonaws." + region + "." + e.service
}

// findService finds a service by its endpoint service name: one of the account's own, or AWS's.
func findService(r state.Reader, name *string) (endpointService, error) {
	if !given(name) {
		return endpointService{}, missing("ServiceName")
	}
	if own := ownServiceNamed(r, *name); own != nil {
		return endpointService{service: string(own.ID), types: []string{resource.EndpointTypeInterface}, own: own}, nil
	}
	return findAWSService(r.Region(), name)
}

// findAWSService finds one of AWS's services.
func findAWSService(region string, name *string) (endpointService, error) {
	all := endpointServices()
	at := slices.IndexFunc(all, func(e endpointService) bool { return e.name(region) == *name })
	if at < 0 {
		return endpointService{}, api.Errorf("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", *name)
	}
	return all[at], nil
}

func (s *ec2) describeVPCEndpointServices(v *state.View, _ *api.Call, in *DescribeVpcEndpointServicesInput) (*DescribeVpcEndpointServicesOutput, error) {
	for _, name := range in.ServiceNames {
		if _, err := findService(v, &name); err != nil {
			return nil, err
		}
	}
	var all []ServiceDetail
	for _, e := range endpointServices() {
		if len(in.ServiceNames) > 0 && !slices.Contains(in.ServiceNames, e.name(v.Region())) {
			continue
		}
		for _, t := range e.types {
			all = append(all, serviceDetail(v, e, t))
		}
	}
	for _, own := range state.List[*resource.EndpointService](v) {
		if len(in.ServiceNames) == 0 || slices.Contains(in.ServiceNames, own.Name(v.Region())) {
			all = append(all, ownDetail(v, own))
		}
	}
	page, next, err := serviceListing().answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &DescribeVpcEndpointServicesOutput{ServiceDetails: page, ServiceNames: []string{}, NextToken: next}
	for _, d := range page {
		if !slices.Contains(out.ServiceNames, *d.ServiceName) {
			out.ServiceNames = append(out.ServiceNames, *d.ServiceName)
		}
	}
	return out, nil
}

func serviceListing() listing[ServiceDetail] {
	types := func(d ServiceDetail) []string {
		return each(d.ServiceType, func(t ServiceTypeDetail) *string { return t.ServiceType })
	}
	return listing[ServiceDetail]{
		key:  func(d ServiceDetail) string { return *d.ServiceName + "/" + *d.ServiceType[0].ServiceType },
		tags: func(d ServiceDetail) []Tag { return d.Tags },
		fields: fields[ServiceDetail]{
			"owner":                      func(d ServiceDetail) []string { return text(d.Owner) },
			"service-name":               func(d ServiceDetail) []string { return text(d.ServiceName) },
			"service-region":             func(d ServiceDetail) []string { return text(d.ServiceRegion) },
			"service-type":               types,
			"supported-ip-address-types": func(d ServiceDetail) []string { return d.SupportedIpAddressTypes },
		},
	}
}

func serviceDetail(r state.Reader, e endpointService, endpointType string) ServiceDetail {
	region := r.Region()
	d := ServiceDetail{
		AcceptanceRequired:         new(false),
		ManagesVpcEndpoints:        new(false),
		Owner:                      new("amazon"),
		ServiceId:                  new("vpce-svc-" + digest("endpoint-service/"+e.name(region)+"/"+endpointType, 17)),
		ServiceName:                new(e.name(region)),
		ServiceRegion:              new(region),
		ServiceType:                []ServiceTypeDetail{{ServiceType: new(endpointType)}},
		SupportedIpAddressTypes:    []string{"ipv4"},
		Tags:                       []Tag{},
		VpcEndpointPolicySupported: new(true),
	}
	for _, z := range zones(region) {
		d.AvailabilityZones = append(d.AvailabilityZones, z.name)
		d.AvailabilityZoneIds = append(d.AvailabilityZoneIds, z.id)
	}
	if endpointType == resource.EndpointTypeGateway {
		d.BaseEndpointDnsNames = []string{e.service + "." + region + ".amazonaws.com"}
		return d
	}
	d.BaseEndpointDnsNames = []string{e.service + "." + region + ".vpce.amazonaws.com"}
	names := topology.PrivateNames(region, e.service)
	d.PrivateDnsName = new(names[0])
	d.PrivateDnsNameVerificationState = new("verified")
	for _, n := range names {
		d.PrivateDnsNames = append(d.PrivateDnsNames, PrivateDnsDetails{PrivateDnsName: new(n)})
	}
	return d
}

// hasGateway reports whether the service also has gateway endpoints.
func (e endpointService) hasGateway() bool {
	return slices.Contains(e.types, resource.EndpointTypeGateway)
}

// checkType refuses an endpoint of a type that the service does not have.
func (e endpointService) checkType(endpointType string) error {
	if !slices.Contains(e.types, endpointType) {
		return api.Errorf("InvalidParameter", "Endpoint type (%s) does not match available service types ([%s]).", endpointType, strings.Join(e.types, ", "))
	}
	return nil
}
