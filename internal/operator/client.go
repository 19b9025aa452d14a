// Package operator makes signed calls to a region as its operator, the account's root.
//
// It is what the demo and the scripted tests speak through: a client like any other, over HTTP, with the real
// protocols. It decodes as little as those need; the SDK's own EC2 client would add more to the program than
// all of the region.
package operator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Client makes calls to one region.
type Client struct {
	Endpoint string // http://127.0.0.1:4566
	Region   string
	// Credentials other than the operator's own, test and test.
	Credentials *aws.Credentials
}

// Request is one call.
type Request struct {
	Service, Method, Path string
	Query                 url.Values
	Header                map[string]string
	Body                  []byte
}

// An APIError is an answer of 400 and above.
type APIError struct {
	Status int
	Code   string
	Header http.Header
	Body   []byte
}

func (e *APIError) Error() string {
	return fmt.Sprintf("HTTP %d %s: %s", e.Status, e.Code, bytes.TrimSpace(e.Body))
}

// Do signs and sends a call and returns its answer.
func (c *Client) Do(ctx context.Context, r Request) (*http.Response, []byte, error) {
	u := c.Endpoint + r.Path
	if len(r.Query) > 0 {
		u += "?" + r.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u, bytes.NewReader(r.Body))
	if err != nil {
		return nil, nil, err
	}
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	sum := sha256.Sum256(r.Body)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = r.Service == "s3" })
	if err := signer.SignHTTP(ctx, c.credentials(), req, hash, r.Service, c.Region, time.Now()); err != nil {
		return nil, nil, fmt.Errorf("sign call to %s: %w", r.Service, err)
	}
	return send(req)
}

func (c *Client) credentials() aws.Credentials {
	if c.Credentials != nil {
		return *c.Credentials
	}
	return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
}

func send(req *http.Request) (*http.Response, []byte, error) {
	response, err := direct.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, err
	}
	if response.StatusCode >= 400 {
		return nil, nil, &APIError{Status: response.StatusCode, Code: code(response, body), Header: response.Header, Body: body}
	}
	return response, body, nil
}

// direct uses no proxy, whatever the environment says: a region is on this machine.
var direct = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// code finds AWS's error code, wherever the protocol has it.
func code(r *http.Response, body []byte) string {
	if h := r.Header.Get("X-Amzn-ErrorType"); h != "" {
		name, _, _ := strings.Cut(h, ":")
		return name
	}
	var x struct {
		EC2   string `xml:"Errors>Error>Code"`
		Query string `xml:"Error>Code"`
		S3    string `xml:"Code"`
	}
	if xml.Unmarshal(body, &x) == nil {
		return x.EC2 + x.Query + x.S3
	}
	var j struct {
		Type string `json:"__type"`
	}
	_ = json.Unmarshal(body, &j)
	return j.Type
}

// ErrorCode is AWS's code of an error that a call returned, empty for any other error.
func ErrorCode(err error) string {
	var e *APIError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// versions are the API versions of the query services.
var versions = map[string]string{"ec2": "2016-11-15", "elasticloadbalancing": "2015-12-01", "iam": "2010-05-08", "sts": "2011-06-15"}

// Query calls an operation of a query service and decodes the XML answer into out, if out is not nil.
// Parameters are alternating names and values.
func (c *Client) Query(ctx context.Context, service, action string, out any, parameters ...string) error {
	body, err := c.QueryRaw(ctx, service, action, parameters...)
	if err != nil || out == nil {
		return err
	}
	if err := xml.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s: read the answer: %w", action, err)
	}
	return nil
}

// QueryRaw is Query with the answer as it came.
func (c *Client) QueryRaw(ctx context.Context, service, action string, parameters ...string) ([]byte, error) {
	form := url.Values{"Action": {action}, "Version": {versions[service]}}
	for i := 0; i+1 < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	_, body, err := c.Do(ctx, Request{
		Service: service, Method: "POST", Path: "/", Body: []byte(form.Encode()),
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	return body, nil
}

// JSON calls a REST operation with a JSON body and returns the answer as it came.
func (c *Client) JSON(ctx context.Context, service, method, path string, in any) ([]byte, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	_, answer, err := c.Do(ctx, Request{Service: service, Method: method, Path: path, Body: body, Header: map[string]string{"Content-Type": "application/json"}})
	return answer, err
}

// Invocation is what came back from a function.
type Invocation struct {
	Payload       string
	FunctionError string
	Log           string // its last 4 KB
}

// Report is the log's REPORT line, empty if there is none.
func (i Invocation) Report() string {
	for line := range strings.SplitSeq(i.Log, "\n") {
		if strings.HasPrefix(line, "REPORT ") {
			return strings.TrimSpace(strings.ReplaceAll(line, "\t", "  "))
		}
	}
	return ""
}

// Invoke runs a function and waits.
func (c *Client) Invoke(ctx context.Context, function string, payload []byte) (Invocation, error) {
	response, body, err := c.Do(ctx, Request{
		Service: "lambda", Method: "POST", Path: "/2015-03-31/functions/" + function + "/invocations", Body: payload,
		Header: map[string]string{"X-Amz-Log-Type": "Tail", "Content-Type": "application/json"},
	})
	if err != nil {
		return Invocation{}, err
	}
	tail, err := base64.StdEncoding.DecodeString(response.Header.Get("X-Amz-Log-Result"))
	if err != nil {
		return Invocation{}, fmt.Errorf("read the log tail: %w", err)
	}
	return Invocation{Payload: string(body), FunctionError: response.Header.Get("X-Amz-Function-Error"), Log: string(tail)}, nil
}

// Inspect reads what the region says of itself into out.
func (c *Client) Inspect(ctx context.Context, path string, query url.Values, out any) error {
	body, err := c.InspectRaw(ctx, path, query)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, out)
}

// InspectRaw reads what the region says of itself as it is: a picture is no JSON.
func (c *Client) InspectRaw(ctx context.Context, path string, query url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", c.Endpoint+"/_culvert/"+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	_, body, err := send(req)
	if err != nil {
		return nil, fmt.Errorf("inspect %s: %w", path, err)
	}
	return body, nil
}
