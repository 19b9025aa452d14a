package servicetest_test

import (
	"fmt"
	"testing"

	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/ec2"
	"github.com/culvert-cloud/culvert/internal/service/elbv2"
	"github.com/culvert-cloud/culvert/internal/service/iam"
	"github.com/culvert-cloud/culvert/internal/service/logs"
	"github.com/culvert-cloud/culvert/internal/service/servicetest"
	"github.com/culvert-cloud/culvert/internal/state"
)

// The services that need nobody else. Those with machinery below call Run from their own tests.

func TestIAMOwesNothing(t *testing.T) {
	keys := 0
	newKey := func() (id, secret string) {
		keys++
		return fmt.Sprintf("AKIA%016d", keys), "secret"
	}
	servicetest.Run(t, iam.New(iam.Config{NewAccessKey: newKey}).Definition)
}

func TestEC2OwesNothing(t *testing.T) {
	servicetest.Run(t, func() service.Definition { return ec2.New(ec2.Config{}) })
}
func TestLoadBalancingOwesNothing(t *testing.T) {
	servicetest.Run(t, func() service.Definition { return elbv2.New(elbv2.Config{}) })
}
func TestLogsOwesNothing(t *testing.T) {
	servicetest.RunWithState(t, func(t *testing.T, s *state.Store) service.Definition {
		events, err := logs.OpenEvents(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		l, err := logs.New(logs.Config{State: s, Events: events})
		if err != nil {
			t.Fatal(err)
		}
		return l.Definition()
	})
}
