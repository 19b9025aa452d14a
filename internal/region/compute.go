package region

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/execution"
	"github.com/culvert-cloud/culvert/internal/compute/sandbox/namespace"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/lambda"
	"github.com/culvert-cloud/culvert/internal/service/logs"
	"github.com/culvert-cloud/culvert/internal/service/sts"
	"github.com/culvert-cloud/culvert/internal/state"
)

// sessionLife is how long the credentials of an execution environment are good; environments do not get as old.
const sessionLife = time.Hour

// openCompute makes what runs functions.
func (r *Region) openCompute(code *lambda.CodeStore, bundle string) error {
	sandboxes, err := namespace.New(r.config.Log)
	if err != nil {
		return fmt.Errorf("prepare sandboxes: %w", err)
	}
	r.later(sandboxes.Close)
	clients, err := r.directory.fresh("runtimes")
	if err != nil {
		return err
	}
	r.pool = execution.New(execution.Config{
		Dir: clients,
		Log: r.config.Log, Network: r.network, Sandbox: sandboxes, Credentials: r.credentials, Logs: sink{r}, CABundle: bundle,
		Code: func(key string) (string, error) {
			if !code.Has(key) {
				return "", fmt.Errorf("the code %s is not in the store", key)
			}
			return code.Path(key), nil
		},
		Resolver: r.resolver, TimedOut: r.timedOut, Region: r.config.Region, Account: Account,
	})
	r.later(func() error { r.pool.Close(); return nil })
	r.sandboxes, r.bundle = sandboxes, bundle
	r.openInstances(sandboxes, bundle)
	return nil
}

// resumeFunctions makes what functions are to have ready, now that there is a network.
func (r *Region) resumeFunctions(context.Context) error {
	r.functions.Resume()
	return nil
}

// credentials makes the session that a function acts under.
func (r *Region) credentials(_ context.Context, f *resource.Function, session string) (execution.Credentials, error) {
	role, ok := roleByARN(r.store.View(), f.Role)
	if !ok {
		return execution.Credentials{}, fmt.Errorf("the role %s is gone", f.Role)
	}
	c, err := r.vault.MintSession(role, sts.Session{
		Name: session, TTL: sessionLife, Keys: map[string]string{"lambda:sourcefunctionarn": f.ARN},
	})
	if err != nil {
		return execution.Credentials{}, err
	}
	return execution.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, nil
}

func roleByARN(v state.Reader, arn string) (*resource.Role, bool) {
	roles := state.Select(v, func(r *resource.Role) bool { return r.ARN == arn })
	if len(roles) == 0 {
		return nil, false
	}
	return roles[0], true
}

// resolver is what a function's resolv.conf says.
func (r *Region) resolver(f *resource.Function) (nameservers []string, search string) {
	if f.VPCConfig != nil {
		if v := r.topology.Load().VPC(f.VPCConfig.VPCID); v != nil {
			return []string{v.Resolver.String()}, v.SearchDomain
		}
	}
	return []string{"169.254.169.253"}, ""
}

// sink writes what functions say into CloudWatch Logs, if their role may.
type sink struct{ r *Region }

func (s sink) Append(group, stream string, events []execution.LogEvent) error {
	if !s.allowed(group) {
		return nil // as on AWS: without the permission nothing is logged, and nobody is told
	}
	out := make([]logs.Event, len(events))
	for i, e := range events {
		out[i] = logs.Event{Timestamp: e.TimestampMS, Message: e.Message}
	}
	return s.r.logs.Append(group, stream, out)
}

// allowed reports whether a function that logs to the group has a role that may.
func (s sink) allowed(group string) bool {
	view := s.r.store.View()
	may := func(f *resource.Function) bool {
		return f.LogGroup == group &&
			s.r.iam.AllowsOn(view, f.Role, "logs:PutLogEvents", "arn:aws:logs:"+view.Region()+":"+Account+":log-group:"+group+":*")
	}
	return slices.ContainsFunc(state.List[*resource.Function](view), may) ||
		slices.ContainsFunc(state.List[*resource.FunctionVersion](view), func(v *resource.FunctionVersion) bool { return may(&v.Function) })
}

// executor lets the Lambda service run functions in the pool.
type executor struct{ r *Region }

func (e executor) Invoke(ctx context.Context, f *resource.Function, in lambda.Invocation) (lambda.Result, error) {
	var stream func(string) io.Writer
	if in.Stream != nil {
		stream = func(contentType string) io.Writer { return in.Stream(f, contentType) }
	}
	out, err := e.r.pool.Invoke(ctx, f, execution.Invocation{
		Stream:    stream,
		RequestID: in.RequestID, Payload: in.Payload, ClientContext: in.ClientContext, TraceID: in.TraceID, InvokedARN: in.InvokedARN,
	})
	if err != nil {
		return lambda.Result{}, err
	}
	return lambda.Result{Payload: out.Payload, FunctionError: out.FunctionError, LogTail: out.LogTail, Streamed: out.Streamed}, nil
}

func (e executor) Provision(all []lambda.Provision) {
	out := make([]execution.Provision, len(all))
	for i, p := range all {
		out[i] = execution.Provision(p)
	}
	e.r.pool.Provision(out)
}

func (e executor) Provisioned(qualified string) lambda.Provisioned {
	allocated, available, failure := e.r.pool.Provisioned(qualified)
	return lambda.Provisioned{Allocated: allocated, Available: available, Failure: failure}
}

func (e executor) Drain(qualified string) { e.r.pool.Drain(qualified) }
