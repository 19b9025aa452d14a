package calls

import (
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
)

// Event is one call. The names are CloudTrail's; what CloudTrail does not have is in AdditionalEventData.
type Event struct {
	EventVersion        string     `json:"eventVersion"`
	UserIdentity        Identity   `json:"userIdentity"`
	EventTime           time.Time  `json:"eventTime"`
	EventSource         string     `json:"eventSource"` // s3.amazonaws.com
	EventName           string     `json:"eventName"`   // GetObject
	AWSRegion           string     `json:"awsRegion"`
	SourceIPAddress     string     `json:"sourceIPAddress,omitempty"`
	UserAgent           string     `json:"userAgent,omitempty"`
	ErrorCode           string     `json:"errorCode,omitempty"`
	ErrorMessage        string     `json:"errorMessage,omitempty"`
	RequestID           string     `json:"requestID"`
	EventID             string     `json:"eventID"`
	EventType           string     `json:"eventType"`
	RecipientAccountID  string     `json:"recipientAccountId"`
	VPCEndpointID       string     `json:"vpcEndpointId,omitempty"`
	Resources           []Resource `json:"resources,omitempty"`
	AdditionalEventData Additional `json:"additionalEventData"`
}

// Identity is who called.
type Identity struct {
	Type           string   `json:"type"` // Root, IAMUser, AssumedRole, Anonymous
	PrincipalID    string   `json:"principalId,omitempty"`
	ARN            string   `json:"arn,omitempty"`
	AccountID      string   `json:"accountId,omitempty"`
	AccessKeyID    string   `json:"accessKeyId,omitempty"`
	UserName       string   `json:"userName,omitempty"`
	SessionContext *Session `json:"sessionContext,omitempty"`
}

// Session says whose session a caller is.
type Session struct {
	SessionIssuer Issuer `json:"sessionIssuer"`
}

// Issuer is the role of a session.
type Issuer struct {
	Type     string `json:"type"`
	ARN      string `json:"arn"`
	UserName string `json:"userName"`
}

// Resource is what a call acted on.
type Resource struct {
	ARN string `json:"ARN"`
}

// Additional is what CloudTrail does not say.
type Additional struct {
	Door      string     `json:"door"` // host, internet, endpoint
	VPC       string     `json:"vpcId,omitempty"`
	Interface string     `json:"networkInterfaceId,omitempty"`
	Status    int        `json:"httpStatus"`
	Took      float64    `json:"tookMilliseconds"`
	Decisions []Decision `json:"decisions,omitempty"`
}

// Decision is one question about a call, and what decided it.
type Decision struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
	Allowed  bool   `json:"allowed"`
	// By is the kind of policy that decided; Explicit: a Deny matched. Policy, Statement and Sid name the statement;
	// Policy is empty where nothing allows.
	By        string `json:"by"`
	Explicit  bool   `json:"explicit,omitempty"`
	Policy    string `json:"policy,omitempty"`
	Statement *int   `json:"statement,omitempty"`
	Sid       string `json:"sid,omitempty"`
}

// maxText is the longest text of a caller's that is kept.
const maxText = 1024

func shorten(s string) string {
	if len(s) > maxText {
		return s[:maxText] + "..."
	}
	return s
}

// IdentityOf describes a caller as CloudTrail does.
func IdentityOf(c *api.Caller) Identity {
	i := Identity{Type: "Anonymous", PrincipalID: c.UserID, ARN: c.ARN, AccountID: c.Account, AccessKeyID: c.AccessKeyID, UserName: c.UserName}
	switch c.Type {
	case api.Root:
		i.Type = "Root"
	case api.User:
		i.Type = "IAMUser"
	case api.AssumedRole:
		i.Type = "AssumedRole"
		i.SessionContext = &Session{Issuer{Type: "Role", ARN: c.RoleARN, UserName: c.RoleName}}
	}
	return i
}

// DecisionOf describes what was decided about an action on a resource.
func DecisionOf(action, resource string, d *policy.Decision) Decision {
	out := Decision{Action: action, Resource: shorten(resource), Allowed: d.Allowed, By: d.Kind, Explicit: d.Explicit, Policy: d.Document, Sid: d.Sid}
	if d.Document != "" {
		statement := d.Statement
		out.Statement = &statement
	}
	return out
}

// Principal is what a policy would call the caller: the role of a session, or the caller; empty for nobody.
func (i *Identity) Principal() string {
	if i.SessionContext != nil {
		return i.SessionContext.SessionIssuer.ARN
	}
	return i.ARN
}
