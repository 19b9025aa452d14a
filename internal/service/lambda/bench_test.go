package lambda

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const testRole = "arn:aws:iam::000000000000:role/r"

// bench is a service with an executor and roles that tests command.
type bench struct {
	*testing.T
	service *Service
	state   *state.Store
	code    *CodeStore
	fake    *fakeExecutor
	roles   *fakeRoles
	settled []uint64
}

type fakeRoles struct {
	untrusted bool
	denied    string
}

func (r *fakeRoles) AssumableBy(_ state.Reader, _, service string) bool {
	return !r.untrusted && service == "lambda.amazonaws.com"
}
func (r *fakeRoles) AllowsOn(_ state.Reader, _, action, on string) bool {
	return action != r.denied && on != r.denied
}
func (r *fakeRoles) Allows(_ state.Reader, _, action string) bool { return action != r.denied }

// fakeExecutor answers with what handle says and remembers what it was asked for.
type fakeExecutor struct {
	mu          sync.Mutex
	handle      func(context.Context, *resource.Function, Invocation) (Result, error)
	invoked     []Invocation
	drained     []string
	provisioned map[string]int
}

func (e *fakeExecutor) Invoke(ctx context.Context, f *resource.Function, in Invocation) (Result, error) {
	e.mu.Lock()
	e.invoked = append(e.invoked, in)
	handle := e.handle
	e.mu.Unlock()
	if handle == nil {
		return Result{Payload: in.Payload, LogTail: []byte("END\n")}, nil
	}
	return handle(ctx, f, in)
}

func (e *fakeExecutor) Provision(all []Provision) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.provisioned = map[string]int{}
	for _, p := range all {
		e.provisioned[p.Function.Qualified()] = p.Count
	}
}

func (e *fakeExecutor) Provisioned(name string) Provisioned {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Provisioned{Allocated: e.provisioned[name], Available: e.provisioned[name]}
}

func (e *fakeExecutor) Drain(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drained = append(e.drained, name)
}

func newBench(t *testing.T, change ...func(*Config)) *bench {
	t.Helper()
	b := &bench{T: t, fake: &fakeExecutor{}, roles: &fakeRoles{}}
	now := func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }
	var err error
	if b.state, err = state.Open(state.Config{Region: "us-west-2", Account: "000000000000", Now: now}); err != nil {
		t.Fatal(err)
	}
	if b.code, err = OpenCodeStore(t.TempDir(), b.state); err != nil {
		t.Fatal(err)
	}
	c := Config{
		State: b.state, Code: b.code, Executor: b.fake, Roles: b.roles, Architecture: "x86_64",
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Settle: func(_ context.Context, revision uint64) error {
			b.settled = append(b.settled, revision)
			return nil
		},
	}
	for _, f := range change {
		f(&c)
	}
	if b.service, err = New(c); err != nil {
		t.Fatal(err)
	}
	b.update(func(tx *state.Tx) {
		for _, v := range []resource.VPCID{"vpc-00000001", "vpc-00000002"} {
			tx.Put(&resource.VPC{ID: v})
		}
		for id, s := range map[resource.SubnetID]string{"subnet-0000000a": "10.0.1.0/24", "subnet-0000000b": "10.0.2.0/24", "subnet-0000000c": "10.0.3.0/28"} {
			tx.Put(&resource.Subnet{ID: id, VPCID: "vpc-00000001", CIDR: netip.MustParsePrefix(s)})
		}
		tx.Put(&resource.Subnet{ID: "subnet-0000000f", VPCID: "vpc-00000002", CIDR: netip.MustParsePrefix("10.0.1.0/24")})
		for id, v := range map[resource.SecurityGroupID]resource.VPCID{"sg-0000000a": "vpc-00000001", "sg-0000000b": "vpc-00000001", "sg-0000000f": "vpc-00000002"} {
			tx.Put(&resource.SecurityGroup{ID: id, VPCID: v})
		}
	})
	return b
}

func (b *bench) update(f func(*state.Tx)) {
	b.Helper()
	if _, err := b.state.Update(func(tx *state.Tx) error { f(tx); return nil }); err != nil {
		b.Fatal(err)
	}
}

// call runs an operation as the front door would.
func call[Out any](b *bench, name string, in any) (*Out, error) {
	b.Helper()
	for _, o := range b.service.Definition().Operations {
		if o.Name != name {
			continue
		}
		if r := o.Resources(b.state.View(), in); len(r) == 0 {
			b.Errorf("%s declares no resources", name)
		}
		if o.HTTPMethod == "" || o.HTTPPath == "" {
			b.Errorf("%s has no method or path", name)
		}
		var out any
		var err error
		switch c := (&api.Call{RequestID: "request-1"}); {
		case o.View != nil:
			out, err = o.View(b.state.View(), c, in)
		case o.Update != nil:
			_, err = b.state.Update(func(tx *state.Tx) (err error) {
				out, err = o.Update(tx, c, in)
				return err
			})
		default:
			out, err = o.Stream(context.Background(), c, in)
		}
		if err != nil {
			return nil, err
		}
		return out.(*Out), nil
	}
	b.Fatalf("there is no operation %s", name)
	return nil, nil
}

func must[Out any](b *bench, name string, in any) *Out {
	b.Helper()
	out, err := call[Out](b, name, in)
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return out
}

func (b *bench) refused(name string, in any, status int, want string) {
	b.Helper()
	_, err := call[struct{}](b, name, in)
	e := api.AsError(err)
	if e == nil || e.Error() != want || e.Status != status {
		b.Errorf("%s:\n got %v\nwant %d %s", name, err, status, want)
	}
}

func input(name string, code []byte) *CreateFunctionInput {
	return &CreateFunctionInput{
		FunctionName: &name, Runtime: ptr("python3.9"), Handler: ptr("lambda_function.lambda_handler"), Role: ptr(testRole),
		Code: &FunctionCode{ZipFile: code},
	}
}

func (b *bench) create(name string, change ...func(*CreateFunctionInput)) *CreateFunctionOutput {
	b.Helper()
	in := input(name, makeZip(b, entry{"lambda_function.py", 0o644, "# " + name}))
	for _, f := range change {
		f(in)
	}
	return must[CreateFunctionOutput](b, "CreateFunction", in)
}

func (b *bench) function(name string) *resource.Function {
	b.Helper()
	f, ok := state.Get[*resource.Function](b.state.View(), name)
	if !ok {
		b.Fatalf("there is no function %s", name)
	}
	return f
}

func (b *bench) interfaces() []*resource.NetworkInterface {
	return state.List[*resource.NetworkInterface](b.state.View())
}

func inVPC(subnets, groups []string) func(*CreateFunctionInput) {
	return func(in *CreateFunctionInput) {
		in.VpcConfig = &VpcConfig{SubnetIds: subnets, SecurityGroupIds: groups, Ipv6AllowedForDualStack: ptr(false)}
	}
}
