package s3

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Delivery is an object that a service of AWS's puts into a bucket, of its own will.
type Delivery struct {
	Service  string              // delivery.logs.amazonaws.com
	Keys     map[string][]string // condition keys, lower case
	Bucket   string
	Key      string
	Encoding string // gzip; empty: none
	Content  []byte
}

// Deliver puts the object if the bucket's policy lets the service. Whether it does is the first answer.
func (s *Service) Deliver(ctx context.Context, d Delivery) (allowed bool, err error) {
	b, ok := state.Get[*resource.Bucket](s.Store.View(), d.Bucket)
	if !ok {
		return false, nil
	}
	document, err := s.policies.of(b)
	if err != nil {
		return false, err
	}
	account := s.Store.View().Account()
	if !policy.Evaluate(policy.Request{
		Action: "s3:PutObject", Resource: bucketARN(d.Bucket) + "/" + d.Key, Principal: policy.Principal{Service: d.Service}, Context: d.Keys,
	}, policy.Policies{Resource: document, ResourceDecides: true, ResourceAccount: account}).Allowed {
		return false, nil
	}
	h := http.Header{"User-Agent": nil, "Content-Type": {"application/octet-stream"}}
	if d.Encoding != "" {
		h.Set("Content-Encoding", d.Encoding)
	}
	res, err := s.engine(ctx, http.MethodPut, enginePath(d.Bucket, d.Key), nil, h, bytes.NewReader(d.Content), int64(len(d.Content)))
	if err != nil {
		return true, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		e, err := readError(http.MethodPut, res)
		if err != nil {
			return true, err
		}
		return true, fmt.Errorf("put %s into %s: %w", d.Key, d.Bucket, e)
	}
	return true, nil
}
