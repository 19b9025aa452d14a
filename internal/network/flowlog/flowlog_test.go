package flowlog

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// small is a VPC with two interfaces, of which the first has a second address.
func small() *topology.Topology {
	eni := func(id resource.NetworkInterfaceID, addresses ...string) *topology.ENI {
		e := &topology.ENI{ID: id, VPCID: "vpc-1", SubnetID: "subnet-1"}
		for _, a := range addresses {
			e.Addresses = append(e.Addresses, netip.MustParseAddr(a))
		}
		return e
	}
	return &topology.Topology{VPCs: []*topology.VPC{{ID: "vpc-1", ENIs: []*topology.ENI{eni("eni-1", "10.0.0.4", "10.0.0.9"), eni("eni-2", "10.0.0.5")}}}}
}

func aggregator(logs ...*resource.FlowLog) *Aggregator {
	a := &Aggregator{Place: Place{Account: "123456789012", Region: "us-west-2",
		ZoneID: func(resource.SubnetID) string { return "usw2-az1" }, Instance: func(resource.NetworkInterfaceID) string { return "" }}}
	a.Follow(logs, noon)
	return a
}

func minutely(id resource.FlowLogID, of, traffic string) *resource.FlowLog {
	return &resource.FlowLog{ID: id, ResourceID: of, TrafficType: traffic, Format: Default().String(), Aggregation: time.Minute, Destination: "cloud-watch-logs"}
}

func sight(t *topology.Topology, accepted bool, port uint16, at time.Time) flow.Sight {
	return flow.Sight{
		VPC: t.VPCs[0], ENI: t.VPCs[0].ENIs[0], Egress: true, Accepted: accepted, Protocol: 6, Packets: 2, Bytes: 100, First: at, Last: at.Add(time.Second),
		Source: netip.MustParseAddrPort("10.0.0.9:40000"), Destination: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.5"), port),
	}
}

func lines(batches []Batch) []string {
	var out []string
	for _, b := range batches {
		for _, r := range b.Records {
			out = append(out, Stream(b.Log, r.ENI)+" "+r.Line)
		}
	}
	return out
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPacketsOfOneTimeAreOneRecordOfEachFlowLogThatWantsThem(t *testing.T) {
	top := small()
	a := aggregator(minutely("fl-1", "vpc-1", "ALL"), minutely("fl-2", "eni-1", "REJECT"), minutely("fl-3", "eni-2", "ALL"), minutely("fl-4", "subnet-1", "ACCEPT"))
	for i := range 3 {
		a.See(sight(top, true, 80, noon.Add(time.Duration(i)*time.Second)))
	}
	a.See(sight(top, false, 81, noon))
	if early := a.Due(top, noon.Add(59*time.Second)); len(early) != 0 {
		t.Errorf("too early: %v", lines(early))
	}
	accept := "2 123456789012 eni-1 10.0.0.4 10.0.0.5 40000 80 6 6 300 1795521600 1795521603 ACCEPT OK"
	reject := "2 123456789012 eni-1 10.0.0.4 10.0.0.5 40000 81 6 2 100 1795521600 1795521601 REJECT OK"
	nodata := func(eni string) string {
		return "2 123456789012 " + eni + " - - - - - - - 1795521600 1795521660 - NODATA"
	}
	same(t, "a minute", lines(a.Due(top, noon.Add(time.Minute))),
		"eni-1-all "+accept, "eni-1-all "+reject, "eni-2-all "+nodata("eni-2"),
		"eni-1-reject "+reject,
		"eni-2-all "+nodata("eni-2"),
		"eni-1-accept "+accept, "eni-2-accept "+nodata("eni-2"))
}

// Records may come more often than a flow log says; that there was nothing is still said once in its time.
func TestSoonerRecordsAreNotFollowedByMoreOfNothing(t *testing.T) {
	top := small()
	a := aggregator(minutely("fl-1", "vpc-1", "ALL"))
	a.Every = time.Second
	a.See(sight(top, true, 80, noon))
	if got := a.Due(top, noon.Add(time.Second)); len(got) != 1 || len(got[0].Records) != 1 {
		t.Errorf("after a second: %v", lines(got))
	}
	for i := 2; i < 60; i++ {
		if got := a.Due(top, noon.Add(time.Duration(i)*time.Second)); len(got) != 0 {
			t.Errorf("after %d seconds: %v", i, lines(got))
		}
	}
	same(t, "a minute", lines(a.Due(top, noon.Add(time.Minute))), "eni-2-all 2 123456789012 eni-2 - - - - - - - 1795521600 1795521660 - NODATA")
}

func TestWhatIsNotKnownIsSaid(t *testing.T) {
	top := small()
	a := aggregator(minutely("fl-1", "eni-1", "ALL"))
	a.See(sight(top, true, 80, noon))
	a.Lose()
	got := lines(a.Due(top, noon.Add(time.Minute)))
	if len(got) != 2 || !strings.HasSuffix(got[0], "- SKIPDATA") || !strings.HasSuffix(got[1], "ACCEPT OK") {
		t.Errorf("got %v", got)
	}
}

func TestTheEndTellsOfTheTimeThatIsNotOver(t *testing.T) {
	top := small()
	a := aggregator(minutely("fl-1", "vpc-1", "ALL"), minutely("fl-2", "eni-2", "ALL"))
	a.See(sight(top, true, 80, noon))
	if got := lines(a.All(top, noon.Add(time.Second))); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	a.Follow(nil, noon)
	if !a.Idle() {
		t.Error("flow logs that are gone are still followed")
	}
}

func TestEveryFieldIsFilledWithWhatIsKnown(t *testing.T) {
	top := small()
	var all []string
	for _, version := range []int{2, 3, 4, 5, 7, 8, 9, 10} {
		all = append(all, fieldsOf()[version]...)
	}
	f := minutely("fl-1", "vpc-1", "ALL")
	f.Format = Format{Fields: append(all, DecidedBy)}.String()
	a := aggregator(f)
	a.Place.Instance = func(id resource.NetworkInterfaceID) string { return "i-" + string(id) }
	s := sight(top, false, 443, noon)
	s.Path, s.TCPFlags, s.DestinationService = 8, 2, "S3"
	s.Decision = flow.Decision{Component: explain.Component{ID: "acl-1"}, Rule: "egress *"}
	a.See(s)
	got := lines(a.All(top, noon))
	same(t, "record", got, "eni-1-all 10 123456789012 eni-1 10.0.0.4 10.0.0.5 40000 443 6 2 100 1795521600 1795521601 REJECT OK "+
		"vpc-1 subnet-1 i-eni-1 2 IPv4 10.0.0.9 10.0.0.5 us-west-2 usw2-az1 - - - S3 egress 8 - - - - - - - - - - - - - acl-1/egress/*")
	for _, name := range NotFilled() {
		if !slices.Contains(all, name) {
			t.Errorf("%s is no field", name)
		}
	}
	if len(all) != 42 {
		t.Errorf("there are %d fields, AWS has 42", len(all))
	}
}

func TestFormats(t *testing.T) {
	for text, version := range map[string]int{
		Default().String(): 2, "${version}": 2, "${tcp-flags}": 3, "${az-id} ${version}": 4, "${traffic-path} ${vpc-id}": 5, "${ecs-task-id}": 7,
		"${reject-reason}": 8, "${" + DecidedBy + "}": 2,
	} {
		if f, ok := Parse(text); !ok || f.Version != version || f.String() != text {
			t.Errorf("%s: got %+v %t, want version %d", text, f, ok, version)
		}
	}
	for _, text := range []string{"", " ", "version", "${version", "${}", "${Version}", "${version}  ${action}", "${version},${action}", "${version} ", "${colour}", "${version}${action}"} {
		if f, ok := Parse(text); ok {
			t.Errorf("%q is read as %+v", text, f)
		}
	}
}

func TestFilesLieWhereAWSPutsThem(t *testing.T) {
	for want, f := range map[string]resource.FlowLog{
		"AWSLogs/123456789012/vpcflowlogs/us-west-2/2026/11/24/":         {DestinationARN: "arn:aws:s3:::b"},
		"in/here/AWSLogs/123456789012/vpcflowlogs/us-west-2/2026/11/24/": {DestinationARN: "arn:aws:s3:::b/in/here/"},
		"AWSLogs/123456789012/vpcflowlogs/us-west-2/2026/11/24/12/":      {DestinationARN: "arn:aws:s3:::b", Options: resource.FlowLogOptions{PerHourPartitioned: true}},
		"AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-west-2/year=2026/month=11/day=24/hour=12/": {
			DestinationARN: "arn:aws:s3:::b", Options: resource.FlowLogOptions{PerHourPartitioned: true, HiveCompatible: true}},
	} {
		f.ID = "fl-1"
		key, content, err := File(Batch{&f, Default(), []Record{{Line: "one"}, {Line: "two"}}}, "123456789012", "us-west-2", noon)
		if err != nil || !strings.HasPrefix(key, want+"123456789012_vpcflowlogs_us-west-2_fl-1_20261124T1200Z_") || !strings.HasSuffix(key, ".log.gz") {
			t.Errorf("key %s, error %v, want %s", key, err, want)
		}
		z, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := io.ReadAll(z); string(text) != Default().Header()+"\none\ntwo\n" {
			t.Errorf("the file says %q", text)
		}
	}
}

func TestTheStatementsThatAreAddedLetFilesIn(t *testing.T) {
	f := &resource.FlowLog{DestinationARN: "arn:aws:s3:::b/x"}
	other := `{"Version":"2012-10-17","Statement":{"Sid":"Mine","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}`
	for _, before := range []string{"", other} {
		after, err := AddDelivery(before, f, "us-west-2", "123456789012")
		if err != nil {
			t.Fatal(err)
		}
		d, err := policy.Parse("b", policy.Resource, []byte(after))
		if err != nil {
			t.Fatalf("%v: %s", err, after)
		}
		if !MayDeliver(d, f, "us-west-2", "123456789012") || strings.Contains(before, "Mine") != strings.Contains(after, "Mine") {
			t.Errorf("the policy is %s", after)
		}
		if MayDeliver(d, f, "eu-west-1", "123456789012") || MayDeliver(d, &resource.FlowLog{DestinationARN: "arn:aws:s3:::b"}, "us-west-2", "123456789012") {
			t.Errorf("the policy lets others in: %s", after)
		}
	}
	if MayDeliver(nil, f, "us-west-2", "123456789012") {
		t.Error("a bucket without a policy lets files in")
	}
}
