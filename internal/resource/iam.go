package resource

import "time"

// Role is an IAM role.
type Role struct {
	Name                     string
	Path                     string // starts and ends with /
	ID                       string // AROA...
	ARN                      string
	AssumeRolePolicyDocument string
	Description              string
	MaxSessionDuration       int // seconds
	PermissionsBoundary      string
	InlinePolicies           map[string]string // name -> document
	AttachedPolicies         []string          // ARNs, in order of attachment
	CreateDate               time.Time
	Tags                     Tags
}

func (*Role) Kind() Kind    { return KindRole }
func (r *Role) Key() string { return r.Name }

// Policy is a managed IAM policy. AWS's own are stored too, so that attaching is one lookup.
type Policy struct {
	ARN              string
	Name             string
	Path             string
	ID               string // ANPA...
	Description      string
	DefaultVersionID string
	Versions         []PolicyVersion
	LastVersion      int // number of the newest version there ever was; none is used twice
	AWSManaged       bool
	CreateDate       time.Time
	UpdateDate       time.Time
	Tags             Tags
}

func (*Policy) Kind() Kind    { return KindPolicy }
func (p *Policy) Key() string { return p.ARN }

// PolicyVersion is one version of a managed policy.
type PolicyVersion struct {
	ID         string // v1
	Document   string
	CreateDate time.Time
}

// Document is the default version's text.
func (p *Policy) Document() string {
	for _, v := range p.Versions {
		if v.ID == p.DefaultVersionID {
			return v.Document
		}
	}
	return ""
}
