package resource

import "time"

// KindInstanceProfile is the table of instance profiles.
const KindInstanceProfile Kind = "instance-profile"

// InstanceProfile is an IAM instance profile: how an instance gets a role. It holds one role or none.
type InstanceProfile struct {
	Name       string
	Path       string // starts and ends with /
	ID         string // AIPA...
	ARN        string
	Role       string // name; empty: none
	CreateDate time.Time
	Tags       Tags
}

func (*InstanceProfile) Kind() Kind    { return KindInstanceProfile }
func (p *InstanceProfile) Key() string { return p.Name }
