package test

import (
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/operator"
	"github.com/culvert-cloud/culvert/internal/region"
)

// variantIDs are the recorded ids that the answer to a request holds first, each of its kind.
var variantIDs = map[int][]string{
	3: {"vpc-398f330bf0fc21b0b"}, 4: {"eipalloc-8f1facf7fd822869f"}, 18: {"igw-e72be8b0813f5edbe"}, 19: {"subnet-bbb28d3a89e8bc556"},
	20: {"rtb-bb718eddc248766f4"}, 27: {"eni-f8aef6f7cf406e151"}, 28: {"acl-7769ffe3b13024d7f"}, 30: {"vpce-449e914d98c708e3b", "eni-0e5dc449256a0b5e0"},
	33: {"nat-cf06bbee55909a184"}, 36: {"aclassoc-b1aabfd4488e265aa"}, 43: {"vpce-2b49f9fd62d89be23"},
	118: {"acl-57ea753610960e4bb"}, 119: {"aclassoc-d1cdb0b81182ff442"},
}

// variantRefusals are the requests that AWS refuses, unlike the server of the recording, and with what.
var variantRefusals = map[int]string{
	29:  "InvalidParameter",              // a private name for S3 without the gateway endpoint that it would need
	123: "InvalidVpcEndpointId.NotFound", // deleted is gone at once
	124: "InvalidVpcEndpointId.NotFound",
	134: "InvalidAssociationID.NotFound", // it went with the NAT gateway
}

// neverMade are the recorded ids of what request 29 would have made.
var neverMade = map[string]string{
	"vpce-4b2e86e8212a3c956": "InvalidVpcEndpointId.NotFound", "eni-0e958a442ce024aba": "InvalidNetworkInterfaceID.NotFound",
}

// variantRefusal is the code with which AWS refuses a request; empty: it does not.
func variantRefusal(q recorded) string {
	for id, code := range neverMade {
		if strings.HasPrefix(q.Operation, "Describe") && strings.Contains(url.Values(q.Form).Encode(), id) {
			return code
		}
	}
	return variantRefusals[q.Seq]
}

func TestTheProvidersRequestsForOtherResourcesAreServed(t *testing.T) {
	r, err := region.Open(t.Context(), region.Config{Region: "us-west-2", Listen: "127.0.0.1:0", Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := &replay{client: &operator.Client{Endpoint: r.URL(), Region: "us-west-2"}, ours: map[string]string{"123456789012": region.Account}}
	for _, q := range load(t, "testdata/terraform/variants.jsonl") {
		status, body := p.send(t, q)
		want, code := q.Status, variantRefusal(q)
		if code != "" {
			want = 400
		}
		if status != want || !strings.Contains(body, code) {
			t.Errorf("request %d, %s %s %s: HTTP %d, want %d %s\n%s", q.Seq, q.Phase, q.Operation, url.Values(q.Form).Encode(), status, want, code, body)
		}
		for _, theirs := range variantIDs[q.Seq] {
			kind, _, _ := strings.Cut(theirs, "-")
			if p.ours[theirs] = regexp.MustCompile(`\b` + kind + `-[0-9a-f]{17}\b`).FindString(body); p.ours[theirs] == "" {
				t.Fatalf("request %d, %s: the answer has no %s-\n%s", q.Seq, q.Operation, kind, body)
			}
		}
	}
	if left := p.leftovers(t); len(left) > 0 {
		t.Errorf("destroy left %v", left)
	}
}
