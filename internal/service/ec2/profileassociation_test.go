package ec2

import (
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// profiles makes two instance profiles with roles, and one without.
func (w *world) profiles() {
	w.change(func(tx *state.Tx) {
		for _, name := range []string{"first", "second"} {
			tx.Put(&resource.Role{Name: name, ARN: "arn:aws:iam::123456789012:role/" + name})
		}
		for name, role := range map[string]string{"first": "first", "second": "second", "empty": ""} {
			tx.Put(&resource.InstanceProfile{Name: name, ID: "AIPA" + name, ARN: "arn:aws:iam::123456789012:instance-profile/" + name, Role: role})
		}
	})
}

func byName(name string) *IamInstanceProfileSpecification {
	return &IamInstanceProfileSpecification{Name: &name}
}

func TestAnInstanceGetsAnotherProfileAsItRuns(t *testing.T) {
	w := newWorld(t)
	w.profiles()
	i := w.start(RunInstancesInput{SubnetId: w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")}).InstanceId
	profile := func() string {
		return value(value(see(w, w.describeInstances, DescribeInstancesInput{InstanceIds: []string{*i}}).Reservations[0].Instances[0].IamInstanceProfile).Arn)
	}
	made := do(w, w.associateProfile, AssociateIamInstanceProfileInput{InstanceId: i, IamInstanceProfile: byName("first")}).IamInstanceProfileAssociation
	want := IamInstanceProfileAssociation{
		AssociationId: made.AssociationId, InstanceId: i, State: new("associating"),
		IamInstanceProfile: &IamInstanceProfile{Arn: new("arn:aws:iam::123456789012:instance-profile/first"), Id: new("AIPAfirst")},
	}
	if d := diff(*made, want); d != "" {
		t.Errorf("association differs (-got +want):\n%s", d)
	}
	want.State = new("associated")
	listed := see(w, w.describeProfileAssociations, DescribeIamInstanceProfileAssociationsInput{Filters: filter("instance-id", *i)})
	if d := diff(listed.IamInstanceProfileAssociations, []IamInstanceProfileAssociation{want}); d != "" {
		t.Errorf("listing differs (-got +want):\n%s", d)
	}
	next := do(w, w.replaceProfile, ReplaceIamInstanceProfileAssociationInput{AssociationId: made.AssociationId, IamInstanceProfile: byName("second")}).IamInstanceProfileAssociation
	if *next.AssociationId == *made.AssociationId || profile() != "arn:aws:iam::123456789012:instance-profile/second" {
		t.Errorf("association %s became %s, profile %s", *made.AssociationId, *next.AssociationId, profile())
	}
	gone := DisassociateIamInstanceProfileInput{AssociationId: next.AssociationId}
	if got := do(w, w.disassociateProfile, gone).IamInstanceProfileAssociation; *got.State != "disassociating" || profile() != "" {
		t.Errorf("state %s, profile %q", *got.State, profile())
	}
	_, err := try(w, w.disassociateProfile, gone)
	if want := "InvalidAssociationID.NotFound: An invalid association-id of '" + *next.AssociationId + "' was given"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestBadProfileAssociationsAreRefused(t *testing.T) {
	w := newWorld(t)
	w.profiles()
	subnet := w.subnet(w.vpc("10.0.0.0/16"), "10.0.1.0/24", "a")
	i, with := w.start(RunInstancesInput{SubnetId: subnet}).InstanceId, w.start(RunInstancesInput{SubnetId: subnet, IamInstanceProfile: byName("first")}).InstanceId
	ended := w.start(RunInstancesInput{SubnetId: subnet, IamInstanceProfile: byName("first")}).InstanceId
	do(w, w.terminateInstances, TerminateInstancesInput{InstanceIds: []string{*ended}})
	w.change(func(tx *state.Tx) { InstanceEnded(tx, resource.InstanceID(*ended)) })
	for want, ins := range map[string][]AssociateIamInstanceProfileInput{
		"MissingParameter":           {{InstanceId: i}, {IamInstanceProfile: byName("first")}},
		"IncorrectState":             {{InstanceId: with, IamInstanceProfile: byName("second")}},
		"IncorrectInstanceState":     {{InstanceId: ended, IamInstanceProfile: byName("second")}},
		"InvalidParameterValue":      {{InstanceId: i, IamInstanceProfile: byName("none")}, {InstanceId: i, IamInstanceProfile: byName("empty")}},
		"InvalidInstanceID.NotFound": {{InstanceId: nowhere("i"), IamInstanceProfile: byName("first")}},
	} {
		for _, in := range ins {
			refused(w, w.associateProfile, in, want)
		}
	}
	all := see(w, w.describeProfileAssociations, DescribeIamInstanceProfileAssociationsInput{}).IamInstanceProfileAssociations
	if len(all) != 1 || *all[0].InstanceId != *with {
		t.Errorf("associations: %+v; want that of the instance that lives", all)
	}
	refused(w, w.replaceProfile, ReplaceIamInstanceProfileAssociationInput{AssociationId: all[0].AssociationId, IamInstanceProfile: byName("empty")}, "InvalidParameterValue")
	refused(w, w.replaceProfile, ReplaceIamInstanceProfileAssociationInput{AssociationId: nowhere("iip-assoc"), IamInstanceProfile: byName("second")}, "InvalidAssociationID.NotFound")
	notSeen(w, w.describeProfileAssociations, DescribeIamInstanceProfileAssociationsInput{AssociationIds: []string{*nowhere("iip-assoc")}}, "InvalidAssociationID.NotFound")
}

func TestWhoGivesAnInstanceAProfileMustBeAllowedToPassItsRole(t *testing.T) {
	w := newWorld(t)
	w.profiles()
	want := []service.Need{{Action: "iam:PassRole", Resource: "arn:aws:iam::123456789012:role/first", Keys: map[string][]string{"iam:passedtoservice": {"ec2.amazonaws.com"}}}}
	for _, o := range New(Config{}).Operations {
		var in any
		switch o.Name {
		case "AssociateIamInstanceProfile":
			in = &AssociateIamInstanceProfileInput{IamInstanceProfile: byName("first")}
		case "ReplaceIamInstanceProfileAssociation":
			in = &ReplaceIamInstanceProfileAssociationInput{IamInstanceProfile: byName("first")}
		default:
			continue
		}
		if d := diff(o.Needs(w.store.View(), in), want); d != "" {
			t.Errorf("%s: needs differ (-got +want):\n%s", o.Name, d)
		}
	}
}
