package iam

import (
	"fmt"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) createPolicyVersion(tx *state.Tx, _ *api.Call, in *CreatePolicyVersionInput) (*CreatePolicyVersionOutput, error) {
	p, err := mustOwn(tx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	if len(p.Versions) >= maxVersions {
		return nil, limitExceeded("A managed policy can have up to %d versions. "+
			"Before you create a new version, you must delete an existing version.", maxVersions)
	}
	c := *p
	c.LastVersion++
	added := resource.PolicyVersion{ID: fmt.Sprintf("v%d", c.LastVersion), Document: *in.PolicyDocument, CreateDate: tx.Now()}
	c.Versions = append(slices.Clone(p.Versions), added)
	c.UpdateDate = tx.Now()
	if value(in.SetAsDefault, false) {
		c.DefaultVersionID = added.ID
	}
	tx.Put(&c)
	out := describeVersion(&c, &added)
	out.Document = nil
	return &CreatePolicyVersionOutput{PolicyVersion: out}, nil
}

func describeVersion(p *resource.Policy, v *resource.PolicyVersion) *PolicyVersion {
	isDefault := v.ID == p.DefaultVersionID
	return &PolicyVersion{CreateDate: &v.CreateDate, Document: escape(v.Document), IsDefaultVersion: &isDefault, VersionId: &v.ID}
}

func mustVersion(p *resource.Policy, id *string) (int, error) {
	i := slices.IndexFunc(p.Versions, func(v resource.PolicyVersion) bool { return v.ID == value(id, "") })
	if i < 0 {
		return 0, noSuch("Policy %s version %s does not exist or is not attachable.", p.ARN, value(id, ""))
	}
	return i, nil
}

func (s *Service) getPolicyVersion(v *state.View, _ *api.Call, in *GetPolicyVersionInput) (*GetPolicyVersionOutput, error) {
	p, err := mustPolicy(v, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	i, err := mustVersion(p, in.VersionId)
	if err != nil {
		return nil, err
	}
	return &GetPolicyVersionOutput{PolicyVersion: describeVersion(p, &p.Versions[i])}, nil
}

// listPolicyVersions lists the newest first.
func (s *Service) listPolicyVersions(v *state.View, _ *api.Call, in *ListPolicyVersionsInput) (*ListPolicyVersionsOutput, error) {
	p, err := mustPolicy(v, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	versions := slices.Clone(p.Versions)
	slices.Reverse(versions)
	page, next, err := paginate(versions, func(v resource.PolicyVersion) string { return v.ID }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &ListPolicyVersionsOutput{IsTruncated: truncated(next), Marker: next, Versions: []PolicyVersion{}}
	for i := range page {
		d := describeVersion(p, &page[i])
		d.Document = nil
		out.Versions = append(out.Versions, *d)
	}
	return out, nil
}

func (s *Service) deletePolicyVersion(tx *state.Tx, _ *api.Call, in *DeletePolicyVersionInput) (*DeletePolicyVersionOutput, error) {
	p, err := mustOwn(tx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	i, err := mustVersion(p, in.VersionId)
	if err != nil {
		return nil, err
	}
	if p.DefaultVersionID == *in.VersionId {
		return nil, conflict("Cannot delete the default version of a policy.")
	}
	c := *p
	c.Versions = slices.Delete(slices.Clone(p.Versions), i, i+1)
	tx.Put(&c)
	return &DeletePolicyVersionOutput{}, nil
}

func (s *Service) setDefaultPolicyVersion(tx *state.Tx, _ *api.Call, in *SetDefaultPolicyVersionInput) (*SetDefaultPolicyVersionOutput, error) {
	p, err := mustOwn(tx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if _, err := mustVersion(p, in.VersionId); err != nil {
		return nil, err
	}
	c := *p
	c.DefaultVersionID = *in.VersionId
	c.UpdateDate = tx.Now()
	tx.Put(&c)
	return &SetDefaultPolicyVersionOutput{}, nil
}
