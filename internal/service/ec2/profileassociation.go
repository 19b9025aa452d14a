package ec2

import (
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) profileOperations() []service.Operation {
	return []service.Operation{
		service.Update("AssociateIamInstanceProfile", s.associateProfile, on(func(in *AssociateIamInstanceProfileInput) refs { return refs{instanceRef(in.InstanceId)} }),
			service.Needs(func(r state.Reader, in *AssociateIamInstanceProfileInput) []service.Need {
				return passRole(r, in.IamInstanceProfile)
			})),
		service.Update("DisassociateIamInstanceProfile", s.disassociateProfile, onFound(func(r state.Reader, in *DisassociateIamInstanceProfileInput) refs {
			return refs{instanceRef(associatedInstance(r, in.AssociationId))}
		})),
		service.Update("ReplaceIamInstanceProfileAssociation", s.replaceProfile, onFound(func(r state.Reader, in *ReplaceIamInstanceProfileAssociationInput) refs {
			return refs{instanceRef(associatedInstance(r, in.AssociationId))}
		}), service.Needs(func(r state.Reader, in *ReplaceIamInstanceProfileAssociationInput) []service.Need {
			return passRole(r, in.IamInstanceProfile)
		})),
		service.View("DescribeIamInstanceProfileAssociations", s.describeProfileAssociations, service.OnAny()),
	}
}

// profileAssociation is the id of an instance's association with its profile; empty if it has none.
func profileAssociation(i *resource.Instance) string {
	switch {
	case i.ProfileARN == "" || i.Gone():
		return ""
	case i.ProfileAssociationID == "": // of an instance that is older than these ids
		return "iip-assoc-" + strings.TrimPrefix(string(i.ID), "i-")
	}
	return i.ProfileAssociationID
}

// setProfile gives an instance a profile, by a new association. What runs in the instance finds the new role at once.
func setProfile(tx *state.Tx, i *resource.Instance, arn string) {
	i.ProfileARN, i.ProfileAssociationID = arn, ""
	if arn != "" {
		i.ProfileAssociationID = tx.NewID("iip-assoc")
	}
}

func findProfileAssociation(r state.Reader, id *string) (*resource.Instance, error) {
	if !given(id) {
		return nil, missing("associationId")
	}
	found := state.Select(r, func(i *resource.Instance) bool { return profileAssociation(i) == *id })
	if len(found) == 0 {
		return nil, api.Errorf("InvalidAssociationID.NotFound", "An invalid association-id of '%s' was given", *id)
	}
	return new(*found[0]), nil
}

func associatedInstance(r state.Reader, association *string) *string {
	i, err := findProfileAssociation(r, association)
	if err != nil {
		return nil
	}
	return new(i.Key())
}

func (s *ec2) associateProfile(tx *state.Tx, _ *api.Call, in *AssociateIamInstanceProfileInput) (*AssociateIamInstanceProfileOutput, error) {
	i, err := instanceToChange(tx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if in.IamInstanceProfile == nil {
		return nil, missing("iamInstanceProfile")
	}
	if i.ProfileARN != "" {
		return nil, api.Errorf("IncorrectState", "There is an existing association for instance %s", i.ID)
	}
	arn, err := findProfile(tx, in.IamInstanceProfile)
	if err != nil {
		return nil, err
	}
	setProfile(tx, i, arn)
	tx.Put(i)
	return &AssociateIamInstanceProfileOutput{IamInstanceProfileAssociation: new(profileAssociationOutput(tx, i, "associating"))}, nil
}

func (s *ec2) disassociateProfile(tx *state.Tx, _ *api.Call, in *DisassociateIamInstanceProfileInput) (*DisassociateIamInstanceProfileOutput, error) {
	i, err := findProfileAssociation(tx, in.AssociationId)
	if err != nil {
		return nil, err
	}
	out := profileAssociationOutput(tx, i, "disassociating")
	setProfile(tx, i, "")
	tx.Put(i)
	return &DisassociateIamInstanceProfileOutput{IamInstanceProfileAssociation: &out}, nil
}

func (s *ec2) replaceProfile(tx *state.Tx, _ *api.Call, in *ReplaceIamInstanceProfileAssociationInput) (*ReplaceIamInstanceProfileAssociationOutput, error) {
	i, err := findProfileAssociation(tx, in.AssociationId)
	if err != nil {
		return nil, err
	}
	if in.IamInstanceProfile == nil {
		return nil, missing("iamInstanceProfile")
	}
	arn, err := findProfile(tx, in.IamInstanceProfile)
	if err != nil {
		return nil, err
	}
	setProfile(tx, i, arn)
	tx.Put(i)
	return &ReplaceIamInstanceProfileAssociationOutput{IamInstanceProfileAssociation: new(profileAssociationOutput(tx, i, "associating"))}, nil
}

func (s *ec2) describeProfileAssociations(v *state.View, _ *api.Call, in *DescribeIamInstanceProfileAssociationsInput) (*DescribeIamInstanceProfileAssociationsOutput, error) {
	var found []*resource.Instance
	for _, id := range idsOf[string](in.AssociationIds) {
		i, err := findProfileAssociation(v, &id)
		if err != nil {
			return nil, err
		}
		found = append(found, i)
	}
	if len(in.AssociationIds) == 0 {
		found = state.Select(v, func(i *resource.Instance) bool { return profileAssociation(i) != "" })
	}
	var all []IamInstanceProfileAssociation
	for _, i := range found {
		all = append(all, profileAssociationOutput(v, i, "associated"))
	}
	l := listing[IamInstanceProfileAssociation]{
		key: func(a IamInstanceProfileAssociation) string { return *a.AssociationId },
		fields: fields[IamInstanceProfileAssociation]{
			"instance-id": func(a IamInstanceProfileAssociation) []string { return text(a.InstanceId) },
			"state":       func(a IamInstanceProfileAssociation) []string { return text(a.State) },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeIamInstanceProfileAssociationsOutput{IamInstanceProfileAssociations: page, NextToken: next}, nil
}

func profileAssociationOutput(r state.Reader, i *resource.Instance, state string) IamInstanceProfileAssociation {
	return IamInstanceProfileAssociation{
		AssociationId:      new(profileAssociation(i)),
		IamInstanceProfile: profileOutput(r, i.ProfileARN),
		InstanceId:         new(i.Key()),
		State:              new(state),
	}
}
