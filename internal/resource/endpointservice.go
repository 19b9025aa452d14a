package resource

import "time"

// KindEndpointService is the kind of an endpoint service, AWS's resource type.
const KindEndpointService Kind = "vpc-endpoint-service"

// EndpointServiceID is vpce-svc- and 17 digits.
type EndpointServiceID string

// EndpointService lets interface endpoints of other VPCs lead to load balancers.
type EndpointService struct {
	ID                 EndpointServiceID
	LoadBalancers      []LoadBalancerARN
	AcceptanceRequired bool
	Permissions        []EndpointServicePermission
	Connections        []EndpointConnection // of endpoints that are there, in the order of their creation
	Tags               Tags
}

func (*EndpointService) Kind() Kind    { return KindEndpointService }
func (s *EndpointService) Key() string { return string(s.ID) }

// Name is what endpoints call the service.
func (s *EndpointService) Name(region string) string {
	return "com.amazonaws.vpce." + region + "." + string(s.ID)
}

// EndpointServicePermission allows a principal to make endpoints of the service.
type EndpointServicePermission struct {
	ID        string // vpce-svc-perm-
	Principal string // an ARN, or *
	Tags      Tags
}

// The states of a connection, which are its endpoint's too, as on the wire.
const (
	EndpointPendingAcceptance = "pendingAcceptance"
	EndpointAvailable         = "available"
	EndpointRejected          = "rejected"
)

// EndpointConnection is one endpoint of the service. Its state is the endpoint's.
type EndpointConnection struct {
	ID         string // vpce-svc-conn-, as AWS calls it
	EndpointID VPCEndpointID
	CreateTime time.Time
}
