package ec2

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// world is a region in which a test makes calls.
type world struct {
	t     testing.TB
	store *state.Store
	now   time.Time
	known map[string]string // ids that a test wants again, by what calls call them
	*ec2
}

// roomy are quotas that no test but that of the quotas meets.
func roomy() resource.Quotas {
	return resource.Quotas{resource.QuotaVPCs: 300, resource.QuotaInternetGateways: 300, resource.QuotaAddresses: 300, resource.QuotaEgressOnlyGateways: 300}
}

func newWorld(t testing.TB) *world { return newWorldWith(t, "us-west-2", roomy()) }

func newWorldIn(t testing.TB, region string) *world { return newWorldWith(t, region, roomy()) }

func newWorldWith(t testing.TB, region string, quotas resource.Quotas) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	store, err := state.Open(state.Config{Region: region, Account: "123456789012", Quotas: quotas, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.store = store
	w.ec2 = &ec2{config: Config{PublicAddresses: DefaultPublicAddresses()}}
	if _, err := store.Update(Bootstrap); err != nil {
		t.Fatal(err)
	}
	return w
}

// try makes a call that changes something.
func try[In, Out any](w *world, h func(*state.Tx, *api.Call, *In) (*Out, error), in In) (*Out, error) {
	var out *Out
	_, err := w.store.Update(func(tx *state.Tx) error {
		var err error
		out, err = h(tx, &api.Call{}, &in)
		return err
	})
	return out, err
}

// do makes a call that changes something and must succeed.
func do[In, Out any](w *world, h func(*state.Tx, *api.Call, *In) (*Out, error), in In) *Out {
	w.t.Helper()
	out, err := try(w, h, in)
	if err != nil {
		w.t.Fatalf("%T: %v", in, err)
	}
	return out
}

// refused makes a call that must fail with a code, and change nothing.
func refused[In, Out any](w *world, h func(*state.Tx, *api.Call, *In) (*Out, error), in In, want string) {
	w.t.Helper()
	before := w.store.View().Revision()
	_, err := try(w, h, in)
	if got := code(err); got != want {
		w.t.Errorf("%T %+v: got %v, want %s", in, in, err, want)
	}
	if w.store.View().Revision() != before {
		w.t.Errorf("%T: a refused call changed the state", in)
	}
}

// look makes a call that reads.
func look[In, Out any](w *world, h func(*state.View, *api.Call, *In) (*Out, error), in In) (*Out, error) {
	return h(w.store.View(), &api.Call{}, &in)
}

// see makes a call that reads and must succeed.
func see[In, Out any](w *world, h func(*state.View, *api.Call, *In) (*Out, error), in In) *Out {
	w.t.Helper()
	out, err := look(w, h, in)
	if err != nil {
		w.t.Fatalf("%T: %v", in, err)
	}
	return out
}

// notSeen makes a call that reads and must fail with a code.
func notSeen[In, Out any](w *world, h func(*state.View, *api.Call, *In) (*Out, error), in In, want string) {
	w.t.Helper()
	if _, err := look(w, h, in); code(err) != want {
		w.t.Errorf("%T %+v: got %v, want %s", in, in, err, want)
	}
}

// code is the AWS code of an error.
func code(err error) string {
	if e := api.AsError(err); e != nil {
		return e.Code
	}
	if err != nil {
		return "internal: " + err.Error()
	}
	return ""
}

func (w *world) vpc(cidr string) *string {
	w.t.Helper()
	return do(w, w.createVPC, CreateVpcInput{CidrBlock: &cidr}).Vpc.VpcId
}

func (w *world) subnet(vpc *string, cidr, az string) *string {
	w.t.Helper()
	return do(w, w.createSubnet, CreateSubnetInput{VpcId: vpc, CidrBlock: &cidr, AvailabilityZone: new("us-west-2" + az)}).Subnet.SubnetId
}

func (w *world) group(vpc *string, name string) *string {
	w.t.Helper()
	return do(w, w.createSecurityGroup, CreateSecurityGroupInput{VpcId: vpc, GroupName: &name, Description: new("a group")}).GroupId
}

func (w *world) routeTable(vpc *string) *string {
	w.t.Helper()
	return do(w, w.createRouteTable, CreateRouteTableInput{VpcId: vpc}).RouteTable.RouteTableId
}

func (w *world) eni(subnet *string) *string {
	w.t.Helper()
	return do(w, w.createNetworkInterface, CreateNetworkInterfaceInput{SubnetId: subnet}).NetworkInterface.NetworkInterfaceId
}

func (w *world) gateway(vpc *string) *string {
	w.t.Helper()
	id := do(w, w.createInternetGateway, CreateInternetGatewayInput{}).InternetGateway.InternetGatewayId
	if vpc != nil {
		do(w, w.attachInternetGateway, AttachInternetGatewayInput{InternetGatewayId: id, VpcId: vpc})
	}
	return id
}

func (w *world) address() *string {
	w.t.Helper()
	return do(w, w.allocateAddress, AllocateAddressInput{Domain: new("vpc")}).AllocationId
}

// dnsOn turns both DNS attributes of a VPC on.
func (w *world) dnsOn(vpc *string) {
	w.t.Helper()
	do(w, w.modifyVPCAttribute, ModifyVpcAttributeInput{VpcId: vpc, EnableDnsHostnames: &AttributeBooleanValue{Value: new(true)}})
}

func filter(name string, values ...string) []Filter {
	return []Filter{{Name: &name, Values: values}}
}

// nowhere are well-formed ids that name nothing.
func nowhere(prefix string) *string { return new(prefix + "-0123456789abcdef0") }

// diff is cmp.Diff, but an empty list is as good as none.
func diff(got, want any, options ...cmp.Option) string {
	return cmp.Diff(got, want, append(options, cmpopts.EquateEmpty())...)
}
