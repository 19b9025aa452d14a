package iam

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// awsPolicies are AWS's own managed policies that work with Lambda, EC2, VPC, S3, logs and IAM attaches, and those of
// the service-linked roles there are here, as far as their text is known for sure. Each has its default version only.
//
//go:embed aws_policies.json
var awsPolicies []byte

// awsPolicy is one of them as the file holds it.
type awsPolicy struct {
	Name, Path, ID, Version, Description string
	Created, Updated                     time.Time
	Document                             json.RawMessage
}

// Bootstrap stores AWS's own managed policies. Doing it again changes nothing, but for those that a newer program
// knows in a newer version.
func Bootstrap(tx *state.Tx) error {
	var list []awsPolicy
	if err := json.Unmarshal(awsPolicies, &list); err != nil {
		return fmt.Errorf("read AWS's managed policies: %w", err)
	}
	for _, a := range list {
		p, err := a.resource()
		if err != nil {
			return fmt.Errorf("read AWS's managed policy %s: %w", a.Name, err)
		}
		if old, ok := state.Get[*resource.Policy](tx, p.ARN); !ok || !reflect.DeepEqual(old, p) {
			tx.Put(p)
		}
	}
	return nil
}

// id is AWS's, where it is known. Where not, it is one that is always the same.
func (a *awsPolicy) id() string {
	if a.ID != "" {
		return a.ID
	}
	sum := sha256.Sum256([]byte(a.Path + a.Name))
	return "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

func (a *awsPolicy) resource() (*resource.Policy, error) {
	if _, err := policy.Parse(a.Name, policy.Identity, a.Document); err != nil {
		return nil, err
	}
	var document bytes.Buffer
	if err := json.Indent(&document, a.Document, "", "    "); err != nil {
		return nil, err
	}
	return &resource.Policy{
		ARN:              "arn:aws:iam::aws:policy" + a.Path + a.Name,
		Name:             a.Name,
		Path:             a.Path,
		ID:               a.id(),
		Description:      a.Description,
		DefaultVersionID: a.Version,
		Versions:         []resource.PolicyVersion{{ID: a.Version, Document: document.String(), CreateDate: a.Updated}},
		AWSManaged:       true,
		CreateDate:       a.Created,
		UpdateDate:       a.Updated,
	}, nil
}
