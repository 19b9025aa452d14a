package lambda

import (
	"context"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Provision is how many environments of a function's version are to be kept initialized.
type Provision struct {
	Function *resource.Function
	Count    int
}

// Provisioned is how far an Executor is with it.
type Provisioned struct {
	Allocated, Available int
	Failure              string // why it cannot; empty: it can
}

func (s *Service) putProvisioned(ctx context.Context, _ *api.Call, in *PutProvisionedConcurrencyConfigInput) (*PutProvisionedConcurrencyConfigOutput, error) {
	var p *resource.Provisioned
	wanted := int(value(in.ProvisionedConcurrentExecutions))
	err := s.commit(ctx, func(tx *state.Tx) error {
		f, n, err := findProvisionable(tx, in.FunctionName, in.Qualifier)
		if err != nil {
			return err
		}
		p = &resource.Provisioned{Function: f.Name, Qualifier: n.Qualifier, Requested: wanted, LastModified: tx.Now()}
		if err := checkProvisioned(tx, f, p); err != nil {
			return err
		}
		tx.Put(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.provision()
	d := s.describeProvisioned(s.config.State.View(), p)
	return &PutProvisionedConcurrencyConfigOutput{
		AllocatedProvisionedConcurrentExecutions: d.AllocatedProvisionedConcurrentExecutions, AvailableProvisionedConcurrentExecutions: d.AvailableProvisionedConcurrentExecutions,
		LastModified: d.LastModified, RequestedProvisionedConcurrentExecutions: d.RequestedProvisionedConcurrentExecutions, Status: d.Status, StatusReason: d.StatusReason,
	}, nil
}

// findProvisionable finds a version or an alias of one: what changes cannot be kept initialized.
func findProvisionable(r state.Reader, name, qualifier *string) (*resource.Function, functionName, error) {
	f, n, err := findFunction(r, name, qualifier)
	if err != nil {
		return nil, n, err
	}
	if f.Version == "" {
		return nil, n, invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	}
	return f, n, nil
}

// checkProvisioned makes sure that there is room: within what is reserved for the function, or within the account's.
func checkProvisioned(r state.Reader, f *resource.Function, p *resource.Provisioned) error {
	if p.Requested < 1 {
		return constraint("0", "provisionedConcurrentExecutions", "Member must have value greater than or equal to 1")
	}
	ofFunction, together := p.Requested, p.Requested
	for _, o := range state.List[*resource.Provisioned](r) {
		if o.Key() == p.Key() {
			continue
		}
		together += o.Requested
		if o.Function != p.Function {
			continue
		}
		ofFunction += o.Requested
		n := functionName{Name: o.Function, Qualifier: o.Qualifier}
		if other, err := n.find(r, func(a *resource.FunctionAlias) string { return a.Version }); err == nil && other.Version == f.Version {
			return invalid("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
		}
	}
	if f.ReservedConcurrency != nil {
		if ofFunction > *f.ReservedConcurrency {
			return invalid("Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
		}
		return nil
	}
	for _, o := range state.List[*resource.Function](r) {
		together += value(o.ReservedConcurrency)
	}
	if together > maxConcurrency-minUnreserved {
		return invalid("Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
	}
	return nil
}

func (s *Service) getProvisioned(v *state.View, _ *api.Call, in *GetProvisionedConcurrencyConfigInput) (*GetProvisionedConcurrencyConfigOutput, error) {
	p, err := needProvisioned(v, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	d := s.describeProvisioned(v, p)
	return &GetProvisionedConcurrencyConfigOutput{
		AllocatedProvisionedConcurrentExecutions: d.AllocatedProvisionedConcurrentExecutions, AvailableProvisionedConcurrentExecutions: d.AvailableProvisionedConcurrentExecutions,
		LastModified: d.LastModified, RequestedProvisionedConcurrentExecutions: d.RequestedProvisionedConcurrentExecutions, Status: d.Status, StatusReason: d.StatusReason,
	}, nil
}

func needProvisioned(r state.Reader, name, qualifier *string) (*resource.Provisioned, error) {
	f, n, err := findFunction(r, name, qualifier)
	if err != nil {
		return nil, err
	}
	p, ok := state.Get[*resource.Provisioned](r, resource.FunctionPart(f.Name, n.Qualifier))
	if !ok {
		return nil, api.Errorf("ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function").WithStatus(404)
	}
	return p, nil
}

func (s *Service) deleteProvisioned(ctx context.Context, _ *api.Call, in *DeleteProvisionedConcurrencyConfigInput) (*DeleteProvisionedConcurrencyConfigOutput, error) {
	err := s.commit(ctx, func(tx *state.Tx) error {
		f, n, err := findFunction(tx, in.FunctionName, in.Qualifier)
		if err == nil {
			deleteIfThere[*resource.Provisioned](tx, resource.FunctionPart(f.Name, n.Qualifier))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.provision()
	return &DeleteProvisionedConcurrencyConfigOutput{}, nil
}

func (s *Service) listProvisioned(v *state.View, _ *api.Call, in *ListProvisionedConcurrencyConfigsInput) (*ListProvisionedConcurrencyConfigsOutput, error) {
	f, _, err := findUnqualified(v, in.FunctionName)
	if err != nil {
		return nil, err
	}
	all := state.Select(v, func(p *resource.Provisioned) bool { return p.Function == f.Name })
	page, next, err := pageOf(all, in.Marker, in.MaxItems, maxListed)
	if err != nil {
		return nil, err
	}
	out := &ListProvisionedConcurrencyConfigsOutput{ProvisionedConcurrencyConfigs: []ProvisionedConcurrencyConfigListItem{}, NextMarker: next}
	for _, p := range page {
		out.ProvisionedConcurrencyConfigs = append(out.ProvisionedConcurrencyConfigs, *s.describeProvisioned(v, p))
	}
	return out, nil
}

func (s *Service) describeProvisioned(r state.Reader, p *resource.Provisioned) *ProvisionedConcurrencyConfigListItem {
	n := functionName{Name: p.Function, Qualifier: p.Qualifier}
	out := &ProvisionedConcurrencyConfigListItem{
		FunctionArn: ptr(n.arn(r)), LastModified: ptr(written(p.LastModified)), RequestedProvisionedConcurrentExecutions: ptr(int64(p.Requested)),
		AllocatedProvisionedConcurrentExecutions: ptr(int64(0)), AvailableProvisionedConcurrentExecutions: ptr(int64(0)), Status: ptr("IN_PROGRESS"),
	}
	f, err := n.find(r, func(a *resource.FunctionAlias) string { return a.Version })
	if err != nil {
		return out
	}
	now := s.config.Executor.Provisioned(f.Qualified())
	out.AllocatedProvisionedConcurrentExecutions, out.AvailableProvisionedConcurrentExecutions = ptr(int64(now.Allocated)), ptr(int64(now.Available))
	switch {
	case now.Failure != "":
		out.Status, out.StatusReason = ptr("FAILED"), &now.Failure
	case now.Allocated >= p.Requested:
		out.Status = ptr("READY")
	}
	return out
}

// provision tells the executor everything that is to be kept initialized, from the state as it is.
func (s *Service) provision() {
	view := s.config.State.View()
	var all []Provision
	for _, p := range state.List[*resource.Provisioned](view) {
		n := functionName{Name: p.Function, Qualifier: p.Qualifier}
		if f, err := n.find(view, func(a *resource.FunctionAlias) string { return a.Version }); err == nil && f.Version != "" {
			all = append(all, Provision{f, p.Requested})
		}
	}
	s.config.Executor.Provision(all)
}
