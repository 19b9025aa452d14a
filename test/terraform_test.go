package test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/operator"
	"github.com/culvert-cloud/culvert/internal/region"
)

// recorded is one request of the Terraform AWS provider, as it was sent while the article's files were planned,
// applied, planned again and destroyed.
type recorded struct {
	Seq       int                 `json:"seq"`
	Phase     string              `json:"phase"`
	Service   string              `json:"service"`
	Operation string              `json:"operation"`
	Method    string              `json:"method"`
	Path      string              `json:"path"`
	Query     string              `json:"query"`
	Form      map[string][]string `json:"form"`
	Body      string              `json:"req_body"`
	Headers   map[string]string   `json:"headers"`
	Status    int                 `json:"reference_status"`
}

// want is the status that AWS answers, which is not always what the server of the recording did.
func (r recorded) want() int {
	switch {
	case r.Operation == "GetBucket?encryption":
		return 200 // every bucket is encrypted since 2023
	case r.Operation == "RevokeSecurityGroupEgress" && strings.Contains(url.Values(r.Form).Encode(), "CidrIpv6"):
		return 400 // a group of a VPC without IPv6 has no such rule; the provider expects that
	case r.Operation == "DescribeVpcEndpoints" && strings.HasSuffix(r.Phase, "destroy") && r.Seq > 250:
		return 400 // deleted is gone at once
	}
	return r.Status
}

func TestTheProvidersRequestsForTheArticleAreServed(t *testing.T) {
	r, err := region.Open(t.Context(), region.Config{Region: "us-west-2", Listen: "127.0.0.1:0", Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := &replay{client: &operator.Client{Endpoint: r.URL(), Region: "us-west-2"}, ours: map[string]string{"123456789012": region.Account}}
	requests := load(t, "testdata/terraform/article.jsonl")
	for i, q := range requests {
		if strings.HasSuffix(q.Path, "/invocations") {
			continue // the recording's function needs a runtime that may not be here; the scripts invoke
		}
		status, body := p.send(t, q)
		if want := q.want(); status != want {
			t.Errorf("request %d, %s %s %s %s: HTTP %d, want %d\n%s", q.Seq, q.Phase, q.Operation, q.Path, url.Values(q.Form).Encode(), status, want, body)
		}
		p.learn(requests[i+1:], q, body)
	}
	if status := p.leftovers(t); len(status) > 0 {
		t.Errorf("destroy left %v", status)
	}
}

func load(t *testing.T, path string) []recorded {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// replay sends recorded requests with the ids of this run.
type replay struct {
	client *operator.Client
	ours   map[string]string // recorded id -> ours
}

func (p *replay) translate(s string) string {
	for theirs, ours := range p.ours {
		s = strings.ReplaceAll(s, theirs, ours)
	}
	return s
}

func (p *replay) send(t *testing.T, q recorded) (int, string) {
	t.Helper()
	service := q.Service
	if service == "s3control" {
		service = "s3"
	}
	request := operator.Request{Service: service, Method: q.Method, Path: p.translate(q.Path), Header: map[string]string{}, Body: []byte(p.translate(q.Body))}
	if q.Query != "" {
		request.Path += "?" + q.Query
	}
	if q.Form != nil {
		form := url.Values{}
		for k, vs := range q.Form {
			for _, v := range vs {
				form.Add(k, p.translate(v))
			}
		}
		request.Body = []byte(form.Encode())
	}
	for k, v := range q.Headers {
		if k != "X-Amz-Content-Sha256" { // the client computes it
			request.Header[k] = v
		}
	}
	request.Body = bytes.ReplaceAll(request.Body, []byte("$ZIP"), []byte(emptyHandler(t)))
	if request.Header["X-Amz-Checksum-Crc32"] != "" { // the recording's is of the body before names were changed
		sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(request.Body))
		request.Header["X-Amz-Checksum-Crc32"] = base64.StdEncoding.EncodeToString(sum)
	}
	response, body, err := p.client.Do(context.Background(), request)
	var refused *operator.APIError
	switch {
	case errors.As(err, &refused):
		return refused.Status, string(refused.Body)
	case err != nil:
		t.Fatalf("request %d: %v", q.Seq, err)
	}
	return response.StatusCode, string(body)
}

// emptyHandler is a function's zip in base64.
func emptyHandler(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("lambda_function.py")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(w, "def lambda_handler(event, context):\n    return event")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// creates says which element of an answer holds the new id, and its prefix.
var creates = map[string][2]string{
	"CreateVpc": {"vpcId", "vpc-"}, "CreateSubnet": {"subnetId", "subnet-"}, "CreateRouteTable": {"routeTableId", "rtb-"},
	"CreateSecurityGroup": {"groupId", "sg-"}, "AssociateRouteTable": {"associationId", "rtbassoc-"}, "CreateVpcEndpoint": {"vpcEndpointId", "vpce-"},
}

// learn pairs the id that an answer holds with the first unknown recorded id of its kind in what comes later.
func (p *replay) learn(later []recorded, q recorded, body string) {
	c, ok := creates[q.Operation]
	if !ok {
		return
	}
	id, _ := first([]byte(body), c[0])
	p.pair(later, c[1], id)
	if q.Operation == "CreateVpcEndpoint" {
		p.pair(later, "eni-", regexp.MustCompile(`eni-[0-9a-f]{17}`).FindString(body))
	}
}

func (p *replay) pair(later []recorded, prefix, ours string) {
	pattern := regexp.MustCompile(`\b` + prefix + `[0-9a-f]{17}\b`)
	for _, q := range later {
		for _, theirs := range pattern.FindAllString(url.Values(q.Form).Encode()+" "+q.Body+" "+q.Path, -1) {
			if p.ours[theirs] == "" {
				p.ours[theirs] = ours
				return
			}
		}
	}
}

// leftovers counts what the region still holds of what the requests made.
func (p *replay) leftovers(t *testing.T) map[string]int {
	t.Helper()
	var s struct {
		Resources map[string]int `json:"resources"`
	}
	if err := p.client.Inspect(context.Background(), "status", nil, &s); err != nil {
		t.Fatal(err)
	}
	delete(s.Resources, "log-group")
	return s.Resources
}
