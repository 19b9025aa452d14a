package elbv2

import (
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// maxListeners is AWS's quota of a load balancer.
const maxListeners = 50

func (s *elb) createListener(tx *state.Tx, _ *api.Call, in *CreateListenerInput) (*CreateListenerOutput, error) {
	b, err := findBalancer(tx, in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Port == nil:
		return nil, invalid("A listener port must be specified")
	case in.Protocol == nil:
		return nil, invalid("A listener protocol must be specified")
	}
	extras := extraOfListener{in.Protocol, in.SslPolicy, in.AlpnPolicy, in.Certificates, in.MutualAuthentication}
	if err := extras.check(); err != nil {
		return nil, err
	}
	g, err := forwardTo(tx, b, in.DefaultActions)
	if err != nil {
		return nil, err
	}
	if portTaken(tx, b.ARN, int(*in.Port), "") {
		return nil, api.Errorf("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", b.ARN)
	}
	if state.Count(tx, func(l *resource.Listener) bool { return l.LoadBalancer == b.ARN }) >= maxListeners {
		return nil, api.Errorf("TooManyListeners", "The maximum number of listeners of load balancer '%s' has been reached", b.ARN)
	}
	tags, err := newTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	l := &resource.Listener{
		ARN:          resource.ListenerARN(strings.Replace(string(b.ARN), ":loadbalancer/", ":listener/", 1) + "/" + tx.RandomHex(16)),
		LoadBalancer: b.ARN, Port: int(*in.Port), TargetGroup: g, Tags: tags,
	}
	tx.Put(l)
	return &CreateListenerOutput{Listeners: []Listener{listenerOutput(l)}}, nil
}

// extraOfListener is what only listeners that are not for TCP have.
type extraOfListener struct {
	protocol, sslPolicy *string
	alpn                []string
	certificates        []Certificate
	mutual              *MutualAuthenticationAttributes
}

func (e extraOfListener) check() error {
	switch {
	case or(e.protocol, "TCP") != "TCP":
		return unsupported("The listener protocol %s is not supported in this region: only TCP is.", *e.protocol)
	case value(e.sslPolicy) != "" || len(e.certificates) > 0 || len(e.alpn) > 0 || e.mutual != nil:
		return invalid("Certificates and security policies cannot be specified for TCP listeners")
	}
	return nil
}

func portTaken(r state.Reader, b resource.LoadBalancerARN, port int, but resource.ListenerARN) bool {
	return state.Count(r, func(l *resource.Listener) bool { return l.LoadBalancer == b && l.Port == port && l.ARN != but }) > 0
}

// forwardTo is the one target group that the actions of a TCP listener lead to.
func forwardTo(r state.Reader, b *resource.LoadBalancer, actions []Action) (resource.TargetGroupARN, error) {
	if len(actions) != 1 || value(actions[0].Type) != "forward" {
		return "", invalid("A TCP listener must have exactly one default action, of type 'forward'")
	}
	target := actions[0].TargetGroupArn
	if f := actions[0].ForwardConfig; f != nil && len(f.TargetGroups) > 0 {
		switch {
		case len(f.TargetGroups) > 1:
			return "", unsupported("Several target groups in one action are not supported in this region.")
		case f.TargetGroupStickinessConfig != nil && value(f.TargetGroupStickinessConfig.Enabled):
			return "", unsupported("Stickiness is not supported in this region.")
		case target != nil && *target != value(f.TargetGroups[0].TargetGroupArn):
			return "", invalid("The target group ARN and the forward configuration name different target groups")
		}
		target = f.TargetGroups[0].TargetGroupArn
	}
	g, err := findGroup(r, target)
	if err != nil {
		return "", err
	}
	if g.VPCID != b.VPCID {
		return "", api.Errorf("InvalidConfigurationRequest", "The target group '%s' is not in the VPC '%s' of the load balancer", g.ARN, b.VPCID)
	}
	for _, other := range balancersOf(r, g.ARN) {
		if other != string(b.ARN) {
			return "", api.Errorf("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s", g.ARN)
		}
	}
	return g.ARN, nil
}

func findListener(r state.Reader, arn *string) (*resource.Listener, error) {
	if !strings.HasPrefix(value(arn), "arn:") {
		return nil, invalid("'%s' is not a valid listener ARN", value(arn))
	}
	l, ok := state.Get[*resource.Listener](r, *arn)
	if !ok {
		return nil, api.Errorf("ListenerNotFound", "One or more listeners not found")
	}
	return l, nil
}

func (s *elb) modifyListener(tx *state.Tx, _ *api.Call, in *ModifyListenerInput) (*ModifyListenerOutput, error) {
	old, err := findListener(tx, in.ListenerArn)
	if err != nil {
		return nil, err
	}
	extras := extraOfListener{in.Protocol, in.SslPolicy, in.AlpnPolicy, in.Certificates, in.MutualAuthentication}
	if err := extras.check(); err != nil {
		return nil, err
	}
	l := new(*old)
	l.Port = int(or(in.Port, int64(old.Port)))
	if portTaken(tx, l.LoadBalancer, l.Port, l.ARN) {
		return nil, api.Errorf("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", l.LoadBalancer)
	}
	if len(in.DefaultActions) > 0 {
		b, err := findBalancer(tx, new(string(l.LoadBalancer)))
		if err != nil {
			return nil, err
		}
		if l.TargetGroup, err = forwardTo(tx, b, in.DefaultActions); err != nil {
			return nil, err
		}
	}
	tx.Put(l)
	return &ModifyListenerOutput{Listeners: []Listener{listenerOutput(l)}}, nil
}

func (s *elb) deleteListener(tx *state.Tx, _ *api.Call, in *DeleteListenerInput) (*DeleteListenerOutput, error) {
	l, err := findListener(tx, in.ListenerArn)
	if err != nil {
		return nil, err
	}
	tx.Delete(l)
	return &DeleteListenerOutput{}, nil
}

func (s *elb) describeListeners(v *state.View, _ *api.Call, in *DescribeListenersInput) (*DescribeListenersOutput, error) {
	var found []*resource.Listener
	switch {
	case len(in.ListenerArns) > 0:
		for _, a := range in.ListenerArns {
			l, err := findListener(v, &a)
			if err != nil {
				return nil, err
			}
			found = append(found, l)
		}
	case in.LoadBalancerArn != nil:
		b, err := findBalancer(v, in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		found = state.Select(v, func(l *resource.Listener) bool { return l.LoadBalancer == b.ARN })
	default:
		return nil, invalid("You must specify either listener ARNs or a load balancer ARN")
	}
	items, next, err := page(found, (*resource.Listener).Key, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &DescribeListenersOutput{Listeners: []Listener{}, NextMarker: next}
	for _, l := range items {
		out.Listeners = append(out.Listeners, listenerOutput(l))
	}
	return out, nil
}

func listenerOutput(l *resource.Listener) Listener {
	group := new(string(l.TargetGroup))
	return Listener{
		ListenerArn: new(string(l.ARN)), LoadBalancerArn: new(string(l.LoadBalancer)), Port: new(int64(l.Port)), Protocol: new("TCP"),
		DefaultActions: []Action{{
			Type: new("forward"), TargetGroupArn: group,
			ForwardConfig: &ForwardActionConfig{TargetGroups: []TargetGroupTuple{{TargetGroupArn: group}}},
		}},
	}
}
