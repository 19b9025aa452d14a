package ec2

import (
	"slices"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const someTopic = "arn:aws:sns:us-west-2:123456789012:connections"

// notification makes one for an endpoint service or an endpoint.
func (w *world) notification(service, endpoint *string) ConnectionNotification {
	w.t.Helper()
	return *do(w, w.createNotification, CreateVpcEndpointConnectionNotificationInput{
		ServiceId: service, VpcEndpointId: endpoint, ConnectionNotificationArn: new(someTopic), ConnectionEvents: []string{"Accept", "Reject"}}).ConnectionNotification
}

func TestConnectionNotificationsAreKeptUntilWhatTheyAreAboutGoes(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.1.0/24", "a")
	s := w.service(w.balancer("one", subnet), false)
	e := do(w, w.createVPCEndpoint, endpointOf(s, vpc)).VpcEndpoint
	ofService, ofEndpoint := w.notification(s.ServiceId, nil), w.notification(nil, e.VpcEndpointId)
	in := CreateVpcEndpointConnectionNotificationInput{ServiceId: s.ServiceId, ConnectionNotificationArn: new(someTopic), ConnectionEvents: []string{"Delete"}, ClientToken: new("t")}
	first, again := do(w, w.createNotification, in), do(w, w.createNotification, in)
	if *first.ConnectionNotification.ConnectionNotificationId != *again.ConnectionNotification.ConnectionNotificationId {
		t.Error("one token made two notifications")
	}
	other := "arn:aws:sns:us-west-2:123456789012:other"
	do(w, w.modifyNotification, ModifyVpcEndpointConnectionNotificationInput{ConnectionNotificationId: ofEndpoint.ConnectionNotificationId, ConnectionNotificationArn: &other, ConnectionEvents: []string{"Connect"}})
	got := see(w, w.describeNotifications, DescribeVpcEndpointConnectionNotificationsInput{ConnectionNotificationId: ofEndpoint.ConnectionNotificationId}).ConnectionNotificationSet
	if len(got) != 1 || *got[0].ConnectionNotificationArn != other || !slices.Equal(got[0].ConnectionEvents, []string{"Connect"}) || *got[0].VpcEndpointId != *e.VpcEndpointId || got[0].ServiceId != nil {
		t.Errorf("changed to %+v", got)
	}
	out := do(w, w.deleteNotifications, DeleteVpcEndpointConnectionNotificationsInput{ConnectionNotificationIds: []string{*ofService.ConnectionNotificationId, *nowhere("vpce-nfn")}})
	if len(out.Unsuccessful) != 1 || *out.Unsuccessful[0].Error.Code != "InvalidConnectionNotification" {
		t.Errorf("not deleted: %+v", out.Unsuccessful)
	}
	do(w, w.deleteVPCEndpoints, DeleteVpcEndpointsInput{VpcEndpointIds: []string{*e.VpcEndpointId}})
	notSeen(w, w.describeNotifications, DescribeVpcEndpointConnectionNotificationsInput{ConnectionNotificationId: ofEndpoint.ConnectionNotificationId}, "InvalidConnectionNotification")
	do(w, w.deleteServiceConfigurations, DeleteVpcEndpointServiceConfigurationsInput{ServiceIds: []string{*s.ServiceId}})
	if left := state.List[*resource.ConnectionNotification](w.store.View()); len(left) > 0 {
		t.Errorf("left: %+v", left)
	}
	refused(w, w.createNotification, in, "InvalidVpcEndpointServiceId.NotFound") // the token is forgotten, too
}

func TestConnectionNotificationsThatMeanNothingAreRefused(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	s := w.service(w.balancer("one", w.subnet(vpc, "10.0.1.0/24", "a")), false)
	gateway := do(w, w.createVPCEndpoint, CreateVpcEndpointInput{VpcId: vpc, ServiceName: new(s3Service)}).VpcEndpoint.VpcEndpointId
	type in = CreateVpcEndpointConnectionNotificationInput
	accept := []string{"Accept"}
	for want, bad := range map[string][]in{
		"InvalidParameterCombination":          {{ConnectionNotificationArn: new(someTopic), ConnectionEvents: accept}, {ServiceId: s.ServiceId, VpcEndpointId: gateway, ConnectionNotificationArn: new(someTopic), ConnectionEvents: accept}},
		"MissingParameter":                     {{ServiceId: s.ServiceId, ConnectionEvents: accept}, {ServiceId: s.ServiceId, ConnectionNotificationArn: new(someTopic)}},
		"InvalidParameterValue":                {{ServiceId: s.ServiceId, ConnectionNotificationArn: new(someTopic), ConnectionEvents: []string{"accept"}}, {ServiceId: s.ServiceId, ConnectionNotificationArn: new(someTopic), ConnectionEvents: []string{"Accept", "Accept"}}},
		"InvalidConnectionNotification":        {{ServiceId: s.ServiceId, ConnectionNotificationArn: new("arn:aws:sqs:us-west-2:123456789012:q"), ConnectionEvents: accept}, {ServiceId: s.ServiceId, ConnectionNotificationArn: new("arn:aws:sns:eu-west-1:123456789012:q"), ConnectionEvents: accept}},
		"InvalidVpcEndpointServiceId.NotFound": {{ServiceId: nowhere("vpce-svc"), ConnectionNotificationArn: new(someTopic), ConnectionEvents: accept}},
		"InvalidVpcEndpointId.NotFound":        {{VpcEndpointId: nowhere("vpce"), ConnectionNotificationArn: new(someTopic), ConnectionEvents: accept}},
		"InvalidParameter":                     {{VpcEndpointId: gateway, ConnectionNotificationArn: new(someTopic), ConnectionEvents: accept}},
	} {
		for _, i := range bad {
			refused(w, w.createNotification, i, want)
		}
	}
	refused(w, w.modifyNotification, ModifyVpcEndpointConnectionNotificationInput{ConnectionNotificationId: nowhere("vpce-nfn")}, "InvalidConnectionNotification")
	n := w.notification(s.ServiceId, nil)
	refused(w, w.modifyNotification, ModifyVpcEndpointConnectionNotificationInput{ConnectionNotificationId: n.ConnectionNotificationId, ConnectionEvents: []string{"None"}}, "InvalidParameterValue")
}
