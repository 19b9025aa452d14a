package region_test

import (
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/region"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// What interfaces sent and got is attributed whole: to whom, by what way, and whether into another zone.
func TestTrafficIsAttributedToTheLastByte(t *testing.T) {
	r, c := open(t, region.Config{})
	p := &provider{t: t, r: r, client: c}
	p.vpc, p.subnet, p.group = newPlace(t, c)
	p.workload, p.target = newInterface(t, c, p.subnet, p.group)
	p.letIn("10.0.0.0/16")
	p.serve()
	far := element(t, ask(t, c, "ec2", "CreateSubnet", "VpcId="+p.vpc, "CidrBlock=10.0.2.0/24", "AvailabilityZone=us-west-2b"), "subnetId")
	near, _ := newInterface(t, c, p.subnet, p.group)
	other, _ := newInterface(t, c, far, p.group)
	for _, eni := range []string{near, other} {
		if got := p.say(eni, p.target+":8080"); !strings.Contains(got, "says hello") {
			t.Fatalf("%s: got %q", eni, got)
		}
	}
	var answer struct{ Traffic []flow.Traffic }
	for last := -1; len(answer.Traffic) == 0 || last != int(answer.Traffic[0].PacketsOut); time.Sleep(200 * time.Millisecond) {
		if len(answer.Traffic) > 0 {
			last = int(answer.Traffic[0].PacketsOut)
		}
		if err := c.Inspect(t.Context(), "traffic", nil, &answer); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := r.Network().Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, id := range []string{near, other, p.workload} {
		left := stats.ENIs[resource.NetworkInterfaceID(id)]
		for _, f := range answer.Traffic {
			if string(f.ENI) == id {
				left.OutBytes, left.InBytes = left.OutBytes-f.BytesOut, left.InBytes-f.BytesIn
				left.OutPackets, left.InPackets = left.OutPackets-f.PacketsOut, left.InPackets-f.PacketsIn
				if f.Via != "local" || f.Service != "" || f.BytesOut == 0 || f.BytesIn == 0 || string(f.VPC) != p.vpc {
					t.Errorf("got %+v", f)
				}
				seen[id+f.AZ+map[bool]string{true: " across", false: " within"}[f.CrossAZ]] = true
			}
		}
		if left.OutBytes != 0 || left.InBytes != 0 || left.OutPackets != 0 || left.InPackets != 0 {
			t.Errorf("%s: not attributed are %+v", id, left)
		}
	}
	for _, want := range []string{near + "us-west-2a within", other + "us-west-2b across", p.workload + "us-west-2a within", p.workload + "us-west-2a across"} {
		if !seen[want] {
			t.Errorf("no traffic of %s: there is %v", want, seen)
		}
	}
}
