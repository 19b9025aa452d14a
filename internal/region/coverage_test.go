package region_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/operator"
	"github.com/culvert-cloud/culvert/internal/region"
	"github.com/culvert-cloud/culvert/internal/view/inspect"
)

// coverage is what a running region says that it serves.
func coverage(t *testing.T, c *operator.Client) []inspect.Service {
	t.Helper()
	var status struct{ Services []inspect.Service }
	if err := c.Inspect(context.Background(), "status", nil, &status); err != nil {
		t.Fatal(err)
	}
	return status.Services
}

func TestEveryOperationIsEitherImplementedOrRefused(t *testing.T) {
	_, c := open(t, region.Config{})
	for _, s := range coverage(t, c) {
		if len(s.Implemented) == 0 || len(s.Refused) == 0 {
			t.Errorf("%s: %d operations are implemented, %d refused; there are some of each", s.Name, len(s.Implemented), len(s.Refused))
		}
		for _, name := range s.Refused {
			if slices.Contains(s.Implemented, name) {
				t.Errorf("%s: %s is implemented and refused", s.Name, name)
			}
		}
	}
}

func TestWhatIsNotEnforcedBelongsToAService(t *testing.T) {
	_, c := open(t, region.Config{})
	told := map[string]bool{}
	for _, s := range coverage(t, c) {
		for _, n := range s.NotEnforced {
			told[n] = true
		}
	}
	for _, n := range region.NotEnforced() {
		if _, what, ok := strings.Cut(n, ": "); !ok || !told[what] {
			t.Errorf("%q begins with no service", n)
		}
	}
}

func TestARefusedOperationSaysItsNameAndWhereToLook(t *testing.T) {
	_, c := open(t, region.Config{})
	for _, s := range coverage(t, c) {
		if s.Name != "ec2" && s.Name != "iam" && s.Name != "sts" {
			continue // these name operations in the body; the others have tests of their own
		}
		for _, name := range s.Refused {
			err := c.Query(context.Background(), s.Name, name, nil)
			var refusal *operator.APIError
			if !errors.As(err, &refusal) || refusal.Code != "InvalidAction" || refusal.Status != 400 {
				t.Fatalf("%s: got %v, want 400 InvalidAction", name, err)
			}
			if !strings.Contains(string(refusal.Body), " "+name+" ") || !strings.Contains(string(refusal.Body), "docs/coverage.md") {
				t.Fatalf("%s: got %s, want its name and where to look", name, refusal.Body)
			}
		}
	}
}
