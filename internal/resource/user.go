package resource

import "time"

// The tables of users, groups, access keys and the account's alias.
const (
	KindUser         Kind = "user"
	KindGroup        Kind = "group"
	KindAccessKey    Kind = "access-key"
	KindAccountAlias Kind = "account-alias"
)

// User is an IAM user.
type User struct {
	Name                string
	Path                string // starts and ends with /
	ID                  string // AIDA...
	ARN                 string
	PermissionsBoundary string
	InlinePolicies      map[string]string // name -> document
	AttachedPolicies    []string          // ARNs, in order of attachment
	Groups              []string          // names, in order of joining
	CreateDate          time.Time
	Tags                Tags
}

func (*User) Kind() Kind    { return KindUser }
func (u *User) Key() string { return u.Name }

// Group is an IAM group. Who is in it, the users say.
type Group struct {
	Name             string
	Path             string
	ID               string // AGPA...
	ARN              string
	InlinePolicies   map[string]string
	AttachedPolicies []string
	CreateDate       time.Time
}

func (*Group) Kind() Kind    { return KindGroup }
func (g *Group) Key() string { return g.Name }

// AccessKey is a user's key. Its secret follows from the id and the region's own key, and is not kept.
type AccessKey struct {
	ID         string // AKIA...
	User       string // name
	Inactive   bool
	CreateDate time.Time
}

func (*AccessKey) Kind() Kind    { return KindAccessKey }
func (k *AccessKey) Key() string { return k.ID }

// AccountAlias is the account's alias; there is one or none.
type AccountAlias struct{ Name string }

func (*AccountAlias) Kind() Kind    { return KindAccountAlias }
func (a *AccountAlias) Key() string { return a.Name }
