package ec2

import (
	"reflect"

	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// withTagging lets every operation that can tag what it makes need the permission to do so: ec2:CreateTags on the
// new resource. See the EC2 guide, "Grant permission to tag Amazon EC2 resources during creation".
func withTagging(operations []service.Operation) []service.Operation {
	for i := range operations {
		o := &operations[i]
		if _, ok := tagSpecifications(o.NewInput()); ok {
			others := o.Needs
			o.Needs = func(r state.Reader, in any) []service.Need {
				needs := taggingNeeds(r, o.Name, in)
				if others != nil {
					needs = append(needs, others(r, in)...)
				}
				return needs
			}
		}
	}
	return operations
}

func taggingNeeds(r state.Reader, operation string, in any) []service.Need {
	specs, _ := tagSpecifications(in)
	var needs []service.Need
	for _, s := range specs {
		if len(s.Tags) > 0 {
			needs = append(needs, service.Need{
				Action: "ec2:CreateTags", Resource: arn(r, value(s.ResourceType), "*"),
				Keys: map[string][]string{"ec2:createaction": {operation}},
			})
		}
	}
	return needs
}

// tagSpecifications are those of an operation's input; false: it cannot have any.
func tagSpecifications(in any) ([]TagSpecification, bool) {
	f := reflect.ValueOf(in).Elem().FieldByName("TagSpecifications")
	if !f.IsValid() {
		return nil, false
	}
	specs, ok := f.Interface().([]TagSpecification)
	return specs, ok
}
