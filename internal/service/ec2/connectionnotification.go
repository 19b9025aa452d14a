package ec2

import (
	"regexp"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// nounNotification is how AWS speaks of connection notifications: with one code for all that is wrong with an id.
func nounNotification() vpcnet.Noun {
	return vpcnet.Noun{Prefix: "vpce-nfn", Malformed: "InvalidConnectionNotification", NotFound: "InvalidConnectionNotification", Text: "The connection notification ID '%s' does not exist"}
}

func (s *ec2) notificationOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateVpcEndpointConnectionNotification", s.createNotification, on(func(in *CreateVpcEndpointConnectionNotificationInput) refs {
			var out refs
			if given(in.ServiceId) {
				out = append(out, ref{string(resource.KindEndpointService), in.ServiceId})
			}
			if given(in.VpcEndpointId) {
				out = append(out, ref{"vpc-endpoint", in.VpcEndpointId})
			}
			return out
		})),
		service.View("DescribeVpcEndpointConnectionNotifications", s.describeNotifications, service.OnAny()),
		service.Update("ModifyVpcEndpointConnectionNotification", s.modifyNotification, service.OnAny()),
		service.Update("DeleteVpcEndpointConnectionNotifications", s.deleteNotifications, service.OnAny()),
	}
}

func (s *ec2) createNotification(tx *state.Tx, _ *api.Call, in *CreateVpcEndpointConnectionNotificationInput) (*CreateVpcEndpointConnectionNotificationOutput, error) {
	input := *in
	input.ClientToken = nil
	token, err := newClientToken("CreateVpcEndpointConnectionNotification", in.ClientToken, input)
	if err != nil {
		return nil, err
	}
	id, err := token.seen(tx)
	if err != nil {
		return nil, err
	}
	n, ok := state.Get[*resource.ConnectionNotification](tx, id)
	if !ok {
		if n, err = newNotification(tx, in); err != nil {
			return nil, err
		}
		n.ID = resource.ConnectionNotificationID(tx.NewID("vpce-nfn"))
		tx.Put(n)
		token.made(tx, string(n.ID))
	}
	return &CreateVpcEndpointConnectionNotificationOutput{ClientToken: token.echo(), ConnectionNotification: new(notificationOutput(n))}, nil
}

func newNotification(r state.Reader, in *CreateVpcEndpointConnectionNotificationInput) (*resource.ConnectionNotification, error) {
	n := &resource.ConnectionNotification{}
	switch {
	case given(in.ServiceId) == given(in.VpcEndpointId):
		return nil, api.Errorf("InvalidParameterCombination", "You must specify either a service ID or a VPC endpoint ID, and not both.")
	case given(in.ServiceId):
		service, err := findOwnService(r, in.ServiceId)
		if err != nil {
			return nil, err
		}
		n.ServiceID = service.ID
	default:
		e, err := find[*resource.VPCEndpoint](r, nounVPCEndpoint, "VpcEndpointId", in.VpcEndpointId)
		if err != nil {
			return nil, err
		}
		if e.Type != resource.EndpointTypeInterface {
			return nil, api.Errorf("InvalidParameter", "Connection notifications are for interface endpoints; %s is of type %s.", e.ID, e.Type)
		}
		n.EndpointID = e.ID
	}
	if !given(in.ConnectionNotificationArn) {
		return nil, missing("ConnectionNotificationArn")
	}
	if len(in.ConnectionEvents) == 0 {
		return nil, missing("ConnectionEvents")
	}
	return n, setNotification(r, n, in.ConnectionNotificationArn, in.ConnectionEvents)
}

// topicARN is what names a topic of SNS.
var topicARN = regexp.MustCompile(`^arn:aws:sns:([a-z0-9-]+):([0-9]{12}):[A-Za-z0-9_-]{1,256}$`)

// setNotification changes what is given: whom to tell, and of what.
func setNotification(r state.Reader, n *resource.ConnectionNotification, topic *string, events []string) error {
	if given(topic) {
		if m := topicARN.FindStringSubmatch(*topic); m == nil || m[1] != r.Region() {
			return api.Errorf("InvalidConnectionNotification", "The connection notification ARN '%s' is not the ARN of an SNS topic in %s", *topic, r.Region())
		}
		n.TopicARN = *topic
	}
	if len(events) == 0 {
		return nil
	}
	for i, e := range events {
		if !slices.Contains([]string{"Accept", "Connect", "Delete", "Reject"}, e) || slices.Contains(events[:i], e) {
			return invalidValue("ConnectionEvents", e)
		}
	}
	n.Events = slices.Clone(events)
	return nil
}

func (s *ec2) modifyNotification(tx *state.Tx, _ *api.Call, in *ModifyVpcEndpointConnectionNotificationInput) (*ModifyVpcEndpointConnectionNotificationOutput, error) {
	old, err := find[*resource.ConnectionNotification](tx, nounNotification(), "ConnectionNotificationId", in.ConnectionNotificationId)
	if err != nil {
		return nil, err
	}
	n := new(*old)
	if err := setNotification(tx, n, in.ConnectionNotificationArn, in.ConnectionEvents); err != nil {
		return nil, err
	}
	tx.Put(n)
	return &ModifyVpcEndpointConnectionNotificationOutput{ReturnValue: new(true)}, nil
}

func (s *ec2) deleteNotifications(tx *state.Tx, _ *api.Call, in *DeleteVpcEndpointConnectionNotificationsInput) (*DeleteVpcEndpointConnectionNotificationsOutput, error) {
	if len(in.ConnectionNotificationIds) == 0 {
		return nil, missing("ConnectionNotificationId")
	}
	out := &DeleteVpcEndpointConnectionNotificationsOutput{Unsuccessful: []UnsuccessfulItem{}}
	for _, id := range idsOf[string](in.ConnectionNotificationIds) {
		n, err := find[*resource.ConnectionNotification](tx, nounNotification(), "ConnectionNotificationId", &id)
		if err != nil {
			out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
			continue
		}
		deleteNotification(tx, n)
	}
	return out, nil
}

func deleteNotification(tx *state.Tx, n *resource.ConnectionNotification) {
	forgetTokens(tx, n.Key())
	tx.Delete(n)
}

// forgetNotifications deletes those about an endpoint or a service that is being deleted.
func forgetNotifications(tx *state.Tx, of string) {
	for _, n := range state.Select(tx, func(n *resource.ConnectionNotification) bool {
		return string(n.ServiceID) == of || string(n.EndpointID) == of
	}) {
		deleteNotification(tx, n)
	}
}

func (s *ec2) describeNotifications(v *state.View, _ *api.Call, in *DescribeVpcEndpointConnectionNotificationsInput) (*DescribeVpcEndpointConnectionNotificationsOutput, error) {
	var ids []string
	if given(in.ConnectionNotificationId) {
		ids = append(ids, *in.ConnectionNotificationId)
	}
	found, err := named[*resource.ConnectionNotification](v, nounNotification(), ids)
	if err != nil {
		return nil, err
	}
	var all []ConnectionNotification
	for _, n := range found {
		all = append(all, notificationOutput(n))
	}
	l := listing[ConnectionNotification]{
		key: func(n ConnectionNotification) string { return *n.ConnectionNotificationId },
		fields: fields[ConnectionNotification]{
			"connection-notification-arn":   func(n ConnectionNotification) []string { return text(n.ConnectionNotificationArn) },
			"connection-notification-id":    func(n ConnectionNotification) []string { return text(n.ConnectionNotificationId) },
			"connection-notification-state": func(n ConnectionNotification) []string { return text(n.ConnectionNotificationState) },
			"connection-notification-type":  func(n ConnectionNotification) []string { return text(n.ConnectionNotificationType) },
			"service-id":                    func(n ConnectionNotification) []string { return text(n.ServiceId) },
			"vpc-endpoint-id":               func(n ConnectionNotification) []string { return text(n.VpcEndpointId) },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeVpcEndpointConnectionNotificationsOutput{ConnectionNotificationSet: page, NextToken: next}, nil
}

func notificationOutput(n *resource.ConnectionNotification) ConnectionNotification {
	out := ConnectionNotification{
		ConnectionEvents: n.Events, ConnectionNotificationArn: new(n.TopicARN), ConnectionNotificationId: new(n.Key()),
		ConnectionNotificationState: new("Enabled"), ConnectionNotificationType: new("Topic"),
	}
	if n.ServiceID != "" {
		out.ServiceId = new(string(n.ServiceID))
	}
	if n.EndpointID != "" {
		out.VpcEndpointId = new(string(n.EndpointID))
	}
	return out
}
