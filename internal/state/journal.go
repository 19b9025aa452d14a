package state

import (
	"encoding/json"
	"fmt"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// Journal keeps commits. Append must be atomic and durable when it returns. Calls do not overlap.
type Journal interface {
	// Load calls f for every entry that was appended last for its key and not deleted, in any order, and
	// returns the newest revision; zero for an empty journal.
	Load(f func(Entry) error) (revision uint64, err error)
	Append(revision uint64, entries []Entry) error
}

// Entry is one changed resource. An empty Value means it was deleted.
type Entry struct {
	Kind  resource.Kind
	Key   string
	Value []byte // JSON
}

// kinds makes an empty resource of each kind, for reading a journal.
var kinds = map[resource.Kind]func() Resource{
	resource.KindVPC:               func() Resource { return new(resource.VPC) },
	resource.KindSubnet:            func() Resource { return new(resource.Subnet) },
	resource.KindRouteTable:        func() Resource { return new(resource.RouteTable) },
	resource.KindSecurityGroup:     func() Resource { return new(resource.SecurityGroup) },
	resource.KindNetworkACL:        func() Resource { return new(resource.NetworkACL) },
	resource.KindInternetGateway:   func() Resource { return new(resource.InternetGateway) },
	resource.KindEgressOnlyGateway: func() Resource { return new(resource.EgressOnlyGateway) },
	resource.KindFlowLog:           func() Resource { return new(resource.FlowLog) },
	resource.KindNATGateway:        func() Resource { return new(resource.NATGateway) },
	resource.KindNetworkInterface:  func() Resource { return new(resource.NetworkInterface) },
	resource.KindAddress:           func() Resource { return new(resource.Address) },
	resource.KindPrefixList:        func() Resource { return new(resource.PrefixList) },
	resource.KindDHCPOptions:       func() Resource { return new(resource.DHCPOptions) },
	resource.KindVPCEndpoint:       func() Resource { return new(resource.VPCEndpoint) },
	resource.KindVPCPeering:        func() Resource { return new(resource.VPCPeeringConnection) },
	resource.KindIdempotency:       func() Resource { return new(resource.Idempotency) },
	resource.KindRole:              func() Resource { return new(resource.Role) },
	resource.KindPolicy:            func() Resource { return new(resource.Policy) },
	resource.KindFunction:          func() Resource { return new(resource.Function) },

	resource.KindFunctionVersion: func() Resource { return new(resource.FunctionVersion) },
	resource.KindFunctionAlias:   func() Resource { return new(resource.FunctionAlias) },
	resource.KindFunctionPolicy:  func() Resource { return new(resource.FunctionPolicy) },
	resource.KindFunctionURL:     func() Resource { return new(resource.FunctionURL) },
	resource.KindEventInvoke:     func() Resource { return new(resource.EventInvoke) },
	resource.KindProvisioned:     func() Resource { return new(resource.Provisioned) },
	resource.KindLayer:           func() Resource { return new(resource.Layer) },
	resource.KindLayerVersion:    func() Resource { return new(resource.LayerVersion) },

	resource.KindBucket:   func() Resource { return new(resource.Bucket) },
	resource.KindLogGroup: func() Resource { return new(resource.LogGroup) },

	resource.KindSubnetReservation: func() Resource { return new(resource.SubnetReservation) },

	resource.KindInstance: func() Resource { return new(resource.Instance) },
	resource.KindKeyPair:  func() Resource { return new(resource.KeyPair) },

	resource.KindInstanceProfile: func() Resource { return new(resource.InstanceProfile) },

	resource.KindLoadBalancer: func() Resource { return new(resource.LoadBalancer) },
	resource.KindTargetGroup:  func() Resource { return new(resource.TargetGroup) },
	resource.KindListener:     func() Resource { return new(resource.Listener) },

	resource.KindNetworkInsightsPath:     func() Resource { return new(resource.NetworkInsightsPath) },
	resource.KindNetworkInsightsAnalysis: func() Resource { return new(resource.NetworkInsightsAnalysis) },

	resource.KindEndpointService: func() Resource { return new(resource.EndpointService) },

	resource.KindConnectionNotification: func() Resource { return new(resource.ConnectionNotification) },

	resource.KindUser:         func() Resource { return new(resource.User) },
	resource.KindGroup:        func() Resource { return new(resource.Group) },
	resource.KindAccessKey:    func() Resource { return new(resource.AccessKey) },
	resource.KindAccountAlias: func() Resource { return new(resource.AccountAlias) },
}

func encode(r Resource) ([]byte, error) { return json.Marshal(r) }

func decode(e Entry) (Resource, error) {
	make, ok := kinds[e.Kind]
	if !ok {
		return nil, fmt.Errorf("journal holds an unknown kind %q: it was written by a newer version", e.Kind)
	}
	r := make()
	if err := json.Unmarshal(e.Value, r); err != nil {
		return nil, fmt.Errorf("decode %s %s: %w", e.Kind, e.Key, err)
	}
	return r, nil
}
