package ec2

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/state"
)

func TestEveryListedOperationIsServedAndSaysWhatItActsOn(t *testing.T) {
	file, err := os.ReadFile("operations.txt")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for line := range strings.Lines(string(file)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			want = append(want, line)
		}
	}
	w := newWorld(t)
	for _, o := range New(Config{}).Operations {
		got = append(got, o.Name)
		if o.Resources == nil {
			t.Errorf("%s does not say what it acts on", o.Name)
			continue
		}
		in := o.NewInput()
		if name := reflect.TypeOf(in).Elem().Name(); name != o.Name+"Input" {
			t.Errorf("%s takes a %s", o.Name, name)
		}
		// A caller may send nothing; what it is allowed to do is decided before that is refused.
		if len(o.Resources(w.store.View(), in)) == 0 {
			t.Errorf("%s acts on nothing", o.Name)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := diff(got, want); d != "" {
		t.Errorf("operations differ from operations.txt (-got +want):\n%s", d)
	}
}

func TestAnEmptyCallIsRefusedNotACrash(t *testing.T) {
	w := newWorld(t)
	for _, o := range New(Config{}).Operations {
		if o.View != nil {
			if _, err := o.View(w.store.View(), nil, o.NewInput()); strings.HasPrefix(code(err), "internal") {
				t.Errorf("%s: %v", o.Name, err)
			}
		}
	}
	needNothing := []string{"CreateInternetGateway", "AllocateAddress", "CreateDefaultVpc"}
	for _, o := range New(Config{}).Operations {
		if o.Update == nil {
			continue
		}
		_, err := w.store.Update(func(tx *state.Tx) error {
			_, err := o.Update(tx, nil, o.NewInput())
			return err
		})
		if (err == nil) != slices.Contains(needNothing, o.Name) || strings.HasPrefix(code(err), "internal") {
			t.Errorf("%s: %v", o.Name, err)
		}
	}
}

func TestCallsNameTheResourcesTheyActOn(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	table, subnet := w.routeTable(vpc), w.subnet(vpc, "10.0.1.0/24", "a")
	association := do(w, w.associateRouteTable, AssociateRouteTableInput{RouteTableId: table, SubnetId: subnet}).AssociationId
	six := w.subnetIPv6(subnet, subnetOf(w.ipv6(vpc), 1))
	block := see(w, w.describeVPCs, DescribeVpcsInput{}).Vpcs[0].Ipv6CidrBlockAssociationSet[0].AssociationId
	for name, row := range map[string]struct {
		in   any
		want []string
	}{
		"CreateVpc":                       {&CreateVpcInput{}, []string{"arn:aws:ec2:us-west-2:123456789012:vpc/*"}},
		"DescribeVpcs":                    {&DescribeVpcsInput{}, []string{"*"}},
		"CreateTags":                      {&CreateTagsInput{Resources: []string{"vpc-1", "sgr-2"}}, []string{"arn:aws:ec2:us-west-2:123456789012:vpc/vpc-1", "arn:aws:ec2:us-west-2:123456789012:security-group-rule/sgr-2"}},
		"CreateSubnet":                    {&CreateSubnetInput{VpcId: new("vpc-1")}, []string{"arn:aws:ec2:us-west-2:123456789012:subnet/*", "arn:aws:ec2:us-west-2:123456789012:vpc/vpc-1"}},
		"DeleteTags":                      {&DeleteTagsInput{}, []string{"*"}},
		"ReleaseAddress":                  {&ReleaseAddressInput{AllocationId: new("eipalloc-1")}, []string{"arn:aws:ec2:us-west-2:123456789012:elastic-ip/eipalloc-1"}},
		"GetManagedPrefixListEntries":     {&GetManagedPrefixListEntriesInput{PrefixListId: new("pl-68a54001")}, []string{"arn:aws:ec2:us-west-2:aws:prefix-list/pl-68a54001"}},
		"DisassociateRouteTable":          {&DisassociateRouteTableInput{AssociationId: association}, []string{"arn:aws:ec2:us-west-2:123456789012:route-table/" + *table, "arn:aws:ec2:us-west-2:123456789012:subnet/" + *subnet}},
		"DisassociateVpcCidrBlock":        {&DisassociateVpcCidrBlockInput{AssociationId: block}, []string{"arn:aws:ec2:us-west-2:123456789012:vpc/" + *vpc}},
		"DisassociateSubnetCidrBlock":     {&DisassociateSubnetCidrBlockInput{AssociationId: six}, []string{"arn:aws:ec2:us-west-2:123456789012:subnet/" + *subnet}},
		"CreateEgressOnlyInternetGateway": {&CreateEgressOnlyInternetGatewayInput{VpcId: new("vpc-1")}, []string{"arn:aws:ec2:us-west-2:123456789012:egress-only-internet-gateway/*", "arn:aws:ec2:us-west-2:123456789012:vpc/vpc-1"}},
		"DisassociateIamInstanceProfile":  {&DisassociateIamInstanceProfileInput{AssociationId: new("iip-assoc-1")}, []string{"arn:aws:ec2:us-west-2:123456789012:instance/*"}},
	} {
		for _, o := range New(Config{}).Operations {
			if o.Name != name {
				continue
			}
			if d := diff(o.Resources(w.store.View(), row.in), row.want); d != "" {
				t.Errorf("%s: resources differ (-got +want):\n%s", name, d)
			}
		}
	}
}
