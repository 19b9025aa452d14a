package execution

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/resource"
)

func TestParallelInvocationsHaveEnvironmentsOfTheirOwn(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	parallel := func() (cold int) {
		results := make([]Result, 5)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() { results[i] = f.call(t, fn, `{"Do":"sleep","N":300}`) })
		}
		wg.Wait()
		for _, r := range results {
			if string(r.Payload) != `"slept"` {
				t.Errorf("payload %s", r.Payload)
			}
			if r.Cold {
				cold++
			}
		}
		return cold
	}
	if n := parallel(); n != 5 {
		t.Errorf("%d of 5 were cold, want all", n)
	}
	if n := parallel(); n != 0 {
		t.Errorf("%d of 5 were cold the second time, want none", n)
	}
}

func TestConcurrencyAboveTheLimitIsRefused(t *testing.T) {
	one, none := 1, 0
	for _, c := range []struct {
		name     string
		reserved *int
		max      int
		reason   string
	}{
		{"reserved", &one, 10, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		{"switched off", &none, 10, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		{"of all", nil, 1, "ConcurrentInvocationLimitExceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, func(cfg *Config) { cfg.MaxEnvironments = c.max })
			fn := f.goFunction(t)
			fn.ReservedConcurrency = c.reserved
			var first sync.WaitGroup
			if c.reserved != &none {
				first.Go(func() { f.call(t, fn, `{"Do":"sleep","N":1000}`) })
				time.Sleep(300 * time.Millisecond)
			}
			_, err := f.Invoke(context.Background(), fn, Invocation{RequestID: requestID(), Payload: []byte("{}")})
			first.Wait()
			e := api.AsError(err)
			if e == nil || e.Code != "TooManyRequestsException" || e.Status != 429 || e.Details[0].Value != c.reason {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestAnIdleEnvironmentMakesRoomForAnotherFunction(t *testing.T) {
	f := newFixture(t, func(cfg *Config) { cfg.MaxEnvironments = 1 })
	a, b := f.goFunction(t), f.goFunction(t)
	b.Name = "other"
	for range 2 {
		for _, fn := range []*resource.Function{a, b} {
			if r := f.call(t, fn, `{"Do":"count"}`); string(r.Payload) != "1" || !r.Cold {
				t.Errorf("%s: %s, cold %v", fn.Name, r.Payload, r.Cold)
			}
		}
	}
}

func TestAChangedFunctionNeverMeetsAnOldEnvironment(t *testing.T) {
	f := newFixture(t)
	fn := f.goFunction(t)
	f.call(t, fn, `{"Do":"count"}`)
	changed := *fn
	changed.RevisionID = "2"
	changed.Environment = map[string]string{"COLOR": "blue"}
	if r := f.call(t, &changed, `{"Do":"env"}`); !strings.Contains(string(r.Payload), `"COLOR=blue"`) || !r.Cold {
		t.Errorf("%s", r.Payload)
	}
	f.Drain(fn.Name)
	if r := f.call(t, &changed, `{"Do":"count"}`); string(r.Payload) != "1" || !r.Cold {
		t.Errorf("after draining: %s, cold %v", r.Payload, r.Cold)
	}
}

func TestUnusedEnvironmentsExpire(t *testing.T) {
	f := newFixture(t, func(cfg *Config) { cfg.IdleTTL = 200 * time.Millisecond })
	fn := f.goFunction(t)
	f.call(t, fn, `{"Do":"count"}`)
	time.Sleep(600 * time.Millisecond)
	if r := f.call(t, fn, `{"Do":"count"}`); !r.Cold {
		t.Error("still warm")
	}
}

func TestAFunctionSitsWhereItsConfigurationSays(t *testing.T) {
	seats := make(chan dataplane.Seat, 10)
	f := newFixture(t, func(cfg *Config) { cfg.Network = network{seats} })
	fn := f.goFunction(t)
	fn.VPCConfig = &resource.FunctionVPCConfig{SubnetIDs: []resource.SubnetID{"subnet-1", "subnet-2"}}
	_, err := f.Invoke(context.Background(), fn, Invocation{RequestID: requestID(), Payload: []byte("{}")})
	if e := api.AsError(err); e == nil || e.Code != "EC2UnexpectedException" {
		t.Errorf("without an interface: %v", err)
	}
	fn.VPCConfig.NetworkInterfaceIDs = []resource.NetworkInterfaceID{"eni-1", "eni-2"}
	f.call(t, fn, `{"Do":"count"}`)
	if seat := <-seats; seat.ENI == "" || !seat.Shared {
		t.Errorf("in a VPC: %+v", seat)
	}
	fn.VPCConfig, fn.RevisionID = nil, "2"
	f.call(t, fn, `{"Do":"count"}`)
	if seat := <-seats; seat.ENI != "" {
		t.Errorf("outside: %+v", seat)
	}
}

func TestEnvironmentsOfOneFunctionTakeItsInterfacesInTurn(t *testing.T) {
	seats := make(chan dataplane.Seat, 10)
	f := newFixture(t, func(cfg *Config) { cfg.Network = network{seats} })
	fn := f.goFunction(t)
	fn.VPCConfig = &resource.FunctionVPCConfig{NetworkInterfaceIDs: []resource.NetworkInterfaceID{"eni-1", "eni-2"}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { f.call(t, fn, `{"Do":"sleep","N":500}`) })
	}
	wg.Wait()
	got := map[resource.NetworkInterfaceID]int{}
	for range 4 {
		got[(<-seats).ENI]++
	}
	if got["eni-1"] != 2 || got["eni-2"] != 2 {
		t.Errorf("seats %v", got)
	}
}
