package resource

// Ids are types, so that a subnet id cannot be passed where a VPC id is meant. Their text is AWS's:
// a prefix, a dash and 17 lower-case hex digits (AWS's own prefix lists keep eight).
type (
	VPCID               string // vpc-
	SubnetID            string // subnet-
	RouteTableID        string // rtb-
	SecurityGroupID     string // sg-
	SecurityGroupRuleID string // sgr-
	NetworkACLID        string // acl-
	InternetGatewayID   string // igw-
	EgressOnlyGatewayID string // eigw-
	NATGatewayID        string // nat-
	NetworkInterfaceID  string // eni-
	AllocationID        string // eipalloc-
	PrefixListID        string // pl-
	DHCPOptionsID       string // dopt-
	VPCEndpointID       string // vpce-
	PeeringID           string // pcx-
)

// Kind names a table of the desired state and, for EC2 resources, is AWS's resource type.
type Kind string

// The kinds there are.
const (
	KindVPC               Kind = "vpc"
	KindSubnet            Kind = "subnet"
	KindRouteTable        Kind = "route-table"
	KindSecurityGroup     Kind = "security-group"
	KindNetworkACL        Kind = "network-acl"
	KindInternetGateway   Kind = "internet-gateway"
	KindEgressOnlyGateway Kind = "egress-only-internet-gateway"
	KindNATGateway        Kind = "natgateway"
	KindNetworkInterface  Kind = "network-interface"
	KindAddress           Kind = "elastic-ip"
	KindPrefixList        Kind = "prefix-list"
	KindDHCPOptions       Kind = "dhcp-options"
	KindVPCEndpoint       Kind = "vpc-endpoint"
	KindVPCPeering        Kind = "vpc-peering-connection"
	KindIdempotency       Kind = "idempotency"
	KindRole              Kind = "role"
	KindPolicy            Kind = "policy"
	KindFunction          Kind = "function"
	KindBucket            Kind = "bucket"
	KindLogGroup          Kind = "log-group"
)

// Tags are a resource's tags, key to value.
type Tags map[string]string
