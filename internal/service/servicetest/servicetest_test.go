package servicetest_test

import (
	"context"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/servicetest"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Shapes with one member of each kind.
type (
	inner struct {
		Name *string `wire:"Name,required"`
		Size *int64  `wire:"Size"`
	}
	queryInput struct {
		Name   *string    `wire:"Name,required"`
		Count  *int64     `wire:"Count"`
		On     *bool      `wire:"On"`
		When   *time.Time `wire:"When,time=unixTimestamp"`
		Items  []string   `wire:"Item"`
		Inners []inner    `wire:"Inner"`
		One    *inner     `wire:"One"`
	}
	restInput struct {
		FunctionName *string           `wire:"FunctionName,uri,required"`
		Qualifier    *string           `wire:"Qualifier,query"`
		Kind         *string           `wire:"X-Amz-Kind,header"`
		Code         []byte            `wire:"Code,required"`
		Table        map[string]string `wire:"Table"`
		Inners       []inner           `wire:"Inners"`
	}
	output struct {
		Name *string `wire:"Name"`
	}
)

func (*restInput) HTTP() (method, path string, status int) {
	return "POST", "/2015-03-31/functions/{FunctionName}", 201
}

// A service that is as it should be passes, and the calls that are made are good enough to reach it often.
func TestAGoodServiceIsReachedAndPasses(t *testing.T) {
	reached := map[service.Protocol]int{}
	for _, protocol := range []service.Protocol{service.EC2Query, service.AWSQuery, service.AWSJSON11} {
		handler := func(_ *state.View, _ *api.Call, in *queryInput) (*output, error) {
			reached[protocol]++
			return &output{in.Name}, nil
		}
		servicetest.Run(t, func() service.Definition {
			return service.Definition{Name: "example", Protocol: protocol, TargetPrefix: "Example_1", Operations: []service.Operation{
				service.View("DescribeThings", handler, service.OnAny()),
			}}
		})
	}
	servicetest.Run(t, func() service.Definition {
		handler := func(_ context.Context, _ *api.Call, in *restInput) (*output, error) {
			reached[service.RESTJSON]++
			return &output{in.FunctionName}, nil
		}
		return service.Definition{Name: "example", Protocol: service.RESTJSON, Operations: []service.Operation{
			service.Stream("Invoke", handler, service.OnAny()),
		}}
	})
	for protocol, n := range reached {
		if n < 20 {
			t.Errorf("%s: the handler was reached %d times, want most of 100", protocol, n)
		}
	}
	if len(reached) != 4 {
		t.Errorf("reached %v, want all four protocols", reached)
	}
}
