package resource

// KindConnectionNotification is the kind of notifications about connections of endpoints.
const KindConnectionNotification Kind = "vpc-endpoint-connection-notification"

// ConnectionNotificationID is vpce-nfn- and 17 digits.
type ConnectionNotificationID string

// ConnectionNotification asks to tell a topic what becomes of endpoints. It is kept, and nobody is told.
type ConnectionNotification struct {
	ID         ConnectionNotificationID
	ServiceID  EndpointServiceID // one of the two
	EndpointID VPCEndpointID
	TopicARN   string
	Events     []string // Accept, Connect, Delete, Reject, as given
}

func (*ConnectionNotification) Kind() Kind    { return KindConnectionNotification }
func (n *ConnectionNotification) Key() string { return string(n.ID) }
