package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
)

// passedOn are the request headers that the engine is to see, beside those of S3.
var passedOn = []string{
	"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Md5", "Content-Type", "Expires",
	"If-Match", "If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "Range",
}

// keptBack are headers of S3 that were dealt with here.
var keptBack = []string{
	"X-Amz-Acl", "X-Amz-Account-Id", "X-Amz-Bypass-Governance-Retention", "X-Amz-Copy-Source", "X-Amz-Date",
	"X-Amz-Expected-Bucket-Owner", "X-Amz-Id-2", "X-Amz-Request-Id", "X-Amz-Request-Payer", "X-Amz-Sdk-Checksum-Algorithm",
	"X-Amz-Security-Token", "X-Amz-Server-Side-Encryption", "X-Amz-Source-Expected-Bucket-Owner", "X-Amz-Storage-Class",
	"X-Amz-User-Agent", "X-Amzn-Trace-Id",
}

// engineHeader is the header for the engine.
func (r *request) engineHeader() http.Header {
	h := http.Header{"User-Agent": nil} // nil: none, or the transport would add its own
	for _, name := range passedOn {
		if v := r.header.Values(name); len(v) > 0 {
			h[name] = v
		}
	}
	for name, v := range r.header {
		if strings.HasPrefix(name, "X-Amz-") {
			h[name] = []string{strings.Join(v, ",")}
		}
	}
	for _, name := range keptBack {
		delete(h, name)
	}
	dropChunkedCoding(h)
	if r.makesObject() && h.Get("Content-Type") == "" {
		h.Set("Content-Type", defaultType)
	}
	return h
}

// defaultType is the type of an object for which none is said.
const defaultType = "binary/octet-stream"

// makesObject reports whether the request says what the headers of a new object are.
func (r *request) makesObject() bool {
	switch r.op.name {
	case "PutObject", "CreateMultipartUpload":
		return true
	case "CopyObject":
		return r.header.Get("X-Amz-Metadata-Directive") == "REPLACE"
	}
	return false
}

// dropChunkedCoding removes aws-chunked from the content codings: it is about the transfer, and S3 does not
// store it.
func dropChunkedCoding(h http.Header) {
	coding := h.Get("Content-Encoding")
	if coding == "" {
		return
	}
	var rest []string
	for c := range strings.SplitSeq(coding, ",") {
		if c = strings.TrimSpace(c); c != "" && !strings.EqualFold(c, "aws-chunked") {
			rest = append(rest, c)
		}
	}
	h.Del("Content-Encoding")
	if len(rest) > 0 {
		h.Set("Content-Encoding", strings.Join(rest, ","))
	}
}

// enginePath is where the engine has an object; with an empty key a bucket.
func enginePath(bucket, key string) string {
	if key == "" {
		return "/" + bucket
	}
	return "/" + bucket + "/" + escapePath(key)
}

// escapePath escapes as AWS's signatures want it: everything but unreserved characters and slashes.
func escapePath(path string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// engine sends a request to the engine. A nil body is none.
func (s *Service) engine(ctx context.Context, method, path string, query url.Values, h http.Header, body io.Reader, length int64) (*http.Response, error) {
	out, err := http.NewRequestWithContext(ctx, method, "http://objects"+path, body)
	if err != nil {
		return nil, fmt.Errorf("make request to object store: %w", err)
	}
	out.URL.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	if h != nil {
		out.Header = h
	}
	out.ContentLength = length
	res, err := s.Engine.RoundTrip(out)
	if err != nil {
		return nil, fmt.Errorf("ask object store: %w", err)
	}
	return res, nil
}

// proxy is the operation of everything that the engine does.
func (s *Service) proxy(w http.ResponseWriter, r *request) error {
	return s.proxyWith(w, r, r.engineHeader())
}

func (s *Service) proxyWith(w http.ResponseWriter, r *request, h http.Header) error {
	res, err := s.send(r, h)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return s.engineError(w, r, res)
	}
	s.copyAnswer(w, r, res)
	return nil
}

// newBuffers makes buffers for copying bodies; larger than io.Copy's, because each write is one TLS record or more.
func newBuffers() *sync.Pool {
	return &sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}
}

func (s *Service) copyAnswer(w http.ResponseWriter, r *request, res *http.Response) {
	h := w.Header()
	copyAnswerHeader(h, res.Header)
	if r.level == levelObject {
		objectHeaders(r, h)
	}
	if res.ContentLength >= 0 && h.Get("Content-Length") == "" && res.StatusCode != http.StatusNoContent {
		h.Set("Content-Length", fmt.Sprint(res.ContentLength))
	}
	w.WriteHeader(res.StatusCode)
	if r.method == http.MethodHead {
		return
	}
	buffer := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buffer)
	// The struct hides ReadFrom, which would use a smaller buffer.
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, res.Body, *buffer); err != nil {
		s.Log.Debug("answer cut short", "operation", r.call.Operation, "request", r.call.RequestID, "error", err)
		panic(http.ErrAbortHandler) // the only way to let the caller know
	}
}

// copyAnswerHeader copies what S3 would say too.
func copyAnswerHeader(to, from http.Header) {
	for name, v := range from {
		switch {
		case name == "X-Amz-Request-Id" || name == "X-Amz-Id-2" || strings.HasPrefix(name, "Access-Control-"):
		case name == "Server" || name == "Date" || name == "Connection" || name == "Vary" || name == "Keep-Alive" || name == "Transfer-Encoding":
		case name == "X-Amz-Storage-Class" && v[0] == "STANDARD": // S3 names only the others
		default:
			to[name] = v
		}
	}
}

// objectHeaders adds what every object has here.
func objectHeaders(r *request, h http.Header) {
	switch r.op.name {
	case "GetObject", "HeadObject":
		if h.Get("Content-Type") == "" {
			h.Set("Content-Type", defaultType)
		}
	case "PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload":
		h.Del("X-Amz-Object-Size") // S3 says it only of appended objects
	case "GetObjectAttributes":
		// The engine's form of the time is not HTTP's.
		if t, err := time.Parse(time.ANSIC, h.Get("Last-Modified")); err == nil {
			h.Set("Last-Modified", t.UTC().Format(http.TimeFormat))
		}
		return
	default:
		return
	}
	h.Set("X-Amz-Server-Side-Encryption", "AES256")
}

// engineError makes the engine's error the caller's. Whether an object exists is told only to those who may
// list the bucket; see the S3 API reference, GetObject, "Permissions".
func (s *Service) engineError(w http.ResponseWriter, r *request, res *http.Response) error {
	e, err := readError(r.method, res)
	if err != nil {
		return err
	}
	if e.Code == "NoSuchKey" {
		if err := s.mayKnow(r); err != nil {
			return err
		}
		e = e.With("Key", r.key)
	}
	for _, name := range []string{"Allow", "Last-Modified", "X-Amz-Delete-Marker", "X-Amz-Version-Id", "Etag"} {
		if v := res.Header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	return e
}

// mayKnow refuses those who may not know that an object does not exist.
func (s *Service) mayKnow(r *request) error {
	return s.authorize(r, "s3:ListBucket", bucketARN(r.bucket))
}

// readError reads the engine's error.
func readError(method string, res *http.Response) (*api.Error, error) {
	e := &api.Error{Status: res.StatusCode}
	if res.StatusCode == http.StatusNotModified {
		e.Code = "NotModified"
		return e, nil
	}
	if method == http.MethodHead {
		e.Code = http.StatusText(res.StatusCode)
		if res.StatusCode == http.StatusNotFound {
			e.Code = "NoSuchKey"
		}
		return e, nil
	}
	var document struct {
		Elements []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if err := xml.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&document); err != nil {
		return nil, fmt.Errorf("read error %d of object store: %w", res.StatusCode, err)
	}
	for _, element := range document.Elements {
		switch element.XMLName.Local {
		case "Code":
			e.Code = element.Text
		case "Message":
			e.Message = element.Text
		case "RequestId", "HostId":
		default:
			e = e.With(element.XMLName.Local, element.Text)
		}
	}
	if res.StatusCode >= 500 && e.Code != "NotImplemented" && e.Code != "SlowDown" {
		return nil, fmt.Errorf("object store: %w", errors.New(e.Code+": "+e.Message))
	}
	return e, nil
}
