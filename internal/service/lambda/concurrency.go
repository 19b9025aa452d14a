package lambda

import (
	"sync"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// The account's limits; see "Lambda quotas".
const (
	maxConcurrency = 1000
	minUnreserved  = 100
)

func (s *Service) putConcurrency(tx *state.Tx, _ *api.Call, in *PutFunctionConcurrencyInput) (*PutFunctionConcurrencyOutput, error) {
	f, _, err := findUnqualified(tx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	wanted := value(in.ReservedConcurrentExecutions)
	reserved := wanted
	for _, other := range state.List[*resource.Function](tx) {
		if other.Name != f.Name {
			reserved += int64(value(other.ReservedConcurrency))
		}
	}
	if wanted < 0 || wanted > maxConcurrency || reserved > maxConcurrency-minUnreserved {
		return nil, invalid("Specified ReservedConcurrentExecutions for function decreases account's "+
			"UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
	}
	changed := *f
	changed.ReservedConcurrency = ptr(int(wanted))
	tx.Put(&changed)
	return &PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: &wanted}, nil
}

func (s *Service) getConcurrency(v *state.View, _ *api.Call, in *GetFunctionConcurrencyInput) (*GetFunctionConcurrencyOutput, error) {
	f, _, err := findUnqualified(v, in.FunctionName)
	if err != nil {
		return nil, err
	}
	out := &GetFunctionConcurrencyOutput{}
	if f.ReservedConcurrency != nil {
		out.ReservedConcurrentExecutions = ptr(int64(*f.ReservedConcurrency))
	}
	return out, nil
}

func (s *Service) deleteConcurrency(tx *state.Tx, _ *api.Call, in *DeleteFunctionConcurrencyInput) (*DeleteFunctionConcurrencyOutput, error) {
	f, _, err := findUnqualified(tx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	changed := *f
	changed.ReservedConcurrency = nil
	tx.Put(&changed)
	return &DeleteFunctionConcurrencyOutput{}, nil
}

// limits counts what runs, against what was reserved and against the account's limit.
type limits struct {
	mu       sync.Mutex
	running  map[string]int // by function; guarded by mu
	together int            // guarded by mu
}

func newLimits() *limits { return &limits{running: map[string]int{}} }

// take makes room for one invocation, until the function it returns is called.
func (l *limits) take(f *resource.Function) (release func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.ReservedConcurrency != nil && l.running[f.Name] >= *f.ReservedConcurrency {
		return nil, &Throttled{"ReservedFunctionConcurrentInvocationLimitExceeded"}
	}
	if l.together >= maxConcurrency {
		return nil, &Throttled{"ConcurrentInvocationLimitExceeded"}
	}
	l.running[f.Name]++
	l.together++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.together--
		if l.running[f.Name]--; l.running[f.Name] == 0 {
			delete(l.running, f.Name)
		}
	}), nil
}
