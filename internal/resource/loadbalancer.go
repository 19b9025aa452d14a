package resource

import (
	"net/netip"
	"time"
)

// The kinds of a load balancer and its parts.
const (
	KindLoadBalancer Kind = "load-balancer"
	KindTargetGroup  Kind = "target-group"
	KindListener     Kind = "load-balancer-listener"
)

// The parts of load balancing are known by their ARNs.
type (
	LoadBalancerARN string // arn:aws:elasticloadbalancing:us-west-2:...:loadbalancer/net/name/0123456789abcdef
	TargetGroupARN  string
	ListenerARN     string
)

// InterfaceTypeLoadBalancer is the type of a network load balancer's interfaces, as on the wire.
const InterfaceTypeLoadBalancer = "network_load_balancer"

// LoadBalancer is a network load balancer.
type LoadBalancer struct {
	ARN      LoadBalancerARN
	Name     string
	DNSName  string
	VPCID    VPCID
	Nodes    []LoadBalancerNode // one in each zone, in the order given
	GroupIDs []SecurityGroupID  // none: whatever comes is let in, and that cannot change
	// TrustsPrivateLink lets connections from interface endpoints pass by the groups' ingress rules.
	TrustsPrivateLink bool
	Attributes        map[string]string // those that were set; the rest have AWS's defaults
	CreateTime        time.Time
	Tags              Tags
}

func (*LoadBalancer) Kind() Kind    { return KindLoadBalancer }
func (l *LoadBalancer) Key() string { return string(l.ARN) }

// LoadBalancerNode is a load balancer's presence in one zone.
type LoadBalancerNode struct {
	SubnetID           SubnetID
	AvailabilityZone   string
	NetworkInterfaceID NetworkInterfaceID
}

// TargetGroup is a set of addresses that listeners lead to.
type TargetGroup struct {
	ARN        TargetGroupARN
	Name       string
	VPCID      VPCID
	Instances  bool // targets are instances, not addresses
	Port       int  // where a target names none
	Check      HealthCheck
	Targets    []Target
	Attributes map[string]string // those that were set
	Tags       Tags
}

func (*TargetGroup) Kind() Kind    { return KindTargetGroup }
func (g *TargetGroup) Key() string { return string(g.ARN) }

// HealthCheck says how targets are tried: by connecting.
type HealthCheck struct {
	Port      int // 0: the target's own
	Interval  time.Duration
	Timeout   time.Duration
	Healthy   int // checks in a row until a target counts as healthy
	Unhealthy int // and as unhealthy
}

// Target is one address, or instance, and port.
type Target struct {
	Address          netip.Addr // of an address target
	InstanceID       InstanceID // of an instance target; its address is that of its primary interface
	Port             int
	AvailabilityZone string // "all": reached from every zone
}

// AllZones is the zone of targets outside the VPC.
const AllZones = "all"

// Listener leads connections to a load balancer's port on to a target group.
type Listener struct {
	ARN          ListenerARN
	LoadBalancer LoadBalancerARN
	Port         int
	TargetGroup  TargetGroupARN
	Tags         Tags
}

func (*Listener) Kind() Kind    { return KindListener }
func (l *Listener) Key() string { return string(l.ARN) }
