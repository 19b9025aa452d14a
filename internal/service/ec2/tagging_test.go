package ec2

import (
	"reflect"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/service"
)

func TestWhoTagsWhatIsMadeMustBeAllowedTo(t *testing.T) {
	w := newWorld(t)
	able := 0
	for _, o := range New(Config{}).Operations {
		in := o.NewInput()
		f := reflect.ValueOf(in).Elem().FieldByName("TagSpecifications")
		if !f.IsValid() {
			passes := o.Name == "AssociateIamInstanceProfile" || o.Name == "ReplaceIamInstanceProfileAssociation" // a role
			if o.Needs != nil && !passes {
				t.Errorf("%s needs something more", o.Name)
			}
			continue
		}
		able++
		if o.Needs == nil {
			t.Errorf("%s tags without asking", o.Name)
			continue
		}
		if got := o.Needs(w.store.View(), in); got != nil {
			t.Errorf("%s without tags needs %v", o.Name, got)
		}
		kind := new("a-kind")
		f.Set(reflect.ValueOf([]TagSpecification{{ResourceType: kind}, {ResourceType: kind, Tags: []Tag{{Key: new("k"), Value: new("v")}}}}))
		want := []service.Need{{
			Action: "ec2:CreateTags", Resource: "arn:aws:ec2:us-west-2:123456789012:a-kind/*",
			Keys: map[string][]string{"ec2:createaction": {o.Name}},
		}}
		if d := diff(o.Needs(w.store.View(), in), want); d != "" {
			t.Errorf("%s: needs differ (-got +want):\n%s", o.Name, d)
		}
		if !strings.HasPrefix(o.Name, "Create") && !strings.HasPrefix(o.Name, "Allocate") && !strings.HasPrefix(o.Name, "AuthorizeSecurityGroup") &&
			o.Name != "RunInstances" && o.Name != "ImportKeyPair" && o.Name != "StartNetworkInsightsAnalysis" {
			t.Errorf("%s can tag, but makes nothing?", o.Name)
		}
	}
	if able < 12 {
		t.Errorf("only %d operations can tag what they make", able)
	}
}
