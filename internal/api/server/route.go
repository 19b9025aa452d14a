package server

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/sigv4"
	"github.com/culvert-cloud/culvert/internal/api/wire"
	"github.com/culvert-cloud/culvert/internal/service"
)

func (s *Server) newExchange(a *answer, r *http.Request, o api.Origin) *exchange {
	view := s.config.Store.View()
	x := &exchange{answer: a}
	x.call = &api.Call{
		RequestID: newRequestID(), Region: view.Region(), Account: view.Account(), Time: s.config.Now().UTC(), Origin: o,
	}
	s.setRequest(x, r)
	return x
}

// setRequest makes r the request of the exchange, and the exchange known to who gets the call; see exchangeOf.
func (s *Server) setRequest(x *exchange, r *http.Request) {
	x.call.HTTP = r.WithContext(withExchange(r.Context(), x))
	x.request = &wire.Request{HTTP: x.call.HTTP}
}

// newRequestID makes an id as most services have it, a version 4 UUID.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// route finds the service. What the door or the host name says counts; the signature must then be for that
// service, which authenticate checks. Otherwise it is what the signature says, or the target header; what says
// nothing is for S3, as anonymous requests are.
func (s *Server) route(x *exchange) error {
	r := x.call.HTTP
	if r.Method == http.MethodConnect || !strings.HasPrefix(r.URL.Path, "/") && r.URL.Path != "" {
		return api.Errorf("InvalidRequest", "This is not a proxy: send the request itself.")
	}
	name := s.serviceName(r, x.call.Origin)
	for web, v := range s.services {
		if v.Web != nil && (x.call.Origin.Service == "" || x.call.Origin.Service == web) && v.Web.Owns(hostname(r.Host), r.URL.Path) {
			name, x.web = web, true
		}
	}
	x.call.Service = name
	x.service = s.services[name]
	if name == "" {
		return api.Errorf("MissingAuthenticationToken", "Request is missing Authentication Token").WithStatus(http.StatusForbidden)
	}
	if x.service == nil {
		return unknownService(x.call.Origin, name)
	}
	if x.service.Protocol == service.RESTXML {
		x.call.RequestID = strings.ToUpper(strings.ReplaceAll(x.call.RequestID, "-", ""))[:16]
	}
	return nil
}

// unknownService refuses a call in a form that SDKs do not retry. Who is in the network learns that the way is open.
func unknownService(o api.Origin, name string) error {
	way := ""
	switch {
	case o.VPCEndpointID != "":
		way = " The network lets the call through: it came by " + o.VPCEndpointID + "."
	case o.Door == api.DoorInternet:
		way = " The network lets the call through: it came to a public address."
	}
	return api.Errorf("UnknownService", "Culvert does not have the service '%s', so nobody answers the call.%s", shorten(name), way).WithStatus(http.StatusNotFound)
}

func (s *Server) serviceName(r *http.Request, o api.Origin) string {
	if o.Service != "" {
		return o.Service
	}
	if name := s.hostService(hostname(r.Host)); name != "" {
		return name
	}
	if name := sigv4.ScopeService(r); name != "" {
		return name
	}
	target, _, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	for name, v := range s.services {
		if target != "" && v.TargetPrefix == target {
			return name
		}
	}
	if s.forms != "" && isUnsignedForm(r) {
		return s.forms
	}
	return s.objects
}

// isUnsignedForm tells calls of the query protocols from S3's. S3 takes forms too, but never this kind.
func isUnsignedForm(r *http.Request) bool {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return r.Method == http.MethodPost && r.URL.Path == "/" && strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded")
}

// hostService reads the service from one of AWS's names: ec2.us-west-2.amazonaws.com, bucket.s3.amazonaws.com,
// vpce-0a-1b.lambda.us-west-2.vpce.amazonaws.com. Empty: it is another name.
func (s *Server) hostService(host string) string {
	host = strings.ToLower(host)
	if !isAWSName(host) {
		return ""
	}
	labels := strings.Split(host, ".")
	// From the right, because what is on the left can be a bucket's name.
	for _, label := range slices.Backward(labels) {
		if label == "s3-control" || label == "s3-accesspoint" || strings.HasPrefix(label, "s3-") {
			label = "s3"
		}
		if s.services[label] != nil {
			return label
		}
	}
	return labels[0] // not served; names it in the refusal
}

// seeCoverage ends the refusals of operations.
const seeCoverage = " (docs/coverage.md and culvert status --json list what it does)."

// unknownOperation refuses an operation that the service does not have here, in a form that SDKs do not retry.
func unknownOperation(v *served, name string) *api.Error {
	name = shorten(name)
	switch v.Protocol {
	case service.EC2Query:
		return api.Errorf("InvalidAction", "The action %s is not valid for this web service: Culvert does not support it%s", name, seeCoverage)
	case service.AWSQuery:
		return api.Errorf("InvalidAction", "Could not find operation %s for version %s: Culvert does not support it%s", name, v.Version, seeCoverage)
	}
	return api.Errorf("UnknownOperationException", "Culvert does not support the operation %s%s", name, seeCoverage)
}

// shorten keeps what strangers send short in messages.
func shorten(s string) string {
	const most = 128
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
