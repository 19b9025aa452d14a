package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
)

// web serves the addresses that the service gives out: functions' URLs and packages.
func (s *Service) web() *service.Web {
	return &service.Web{
		Handler: webHandler{s}, MaxBody: maxPayload,
		Owns: func(host, path string) bool {
			_, isURL := s.idOfHost(host)
			return isURL || strings.HasPrefix(path, downloadPath) && s.isDoor(host)
		},
		Open: func(host, path string) bool {
			u, ok := s.urlOfHost(host)
			return !ok || u.AuthType == "NONE"
		},
	}
}

// isDoor reports whether a name leads to this service: its own names and those of the machine, not those of buckets,
// where the same path is an object's.
func (s *Service) isDoor(host string) bool {
	host = strings.ToLower(host)
	own := "lambda." + s.config.State.View().Region() + "."
	return !strings.HasSuffix(host, ".amazonaws.com") || host == own+"amazonaws.com" || strings.HasSuffix(host, "."+own+"vpce.amazonaws.com")
}

func (s *Service) idOfHost(host string) (id string, ok bool) {
	return strings.CutSuffix(strings.ToLower(host), urlHost(s.config.State.View().Region(), ""))
}

func (s *Service) urlOfHost(host string) (*resource.FunctionURL, bool) {
	id, ok := s.idOfHost(host)
	if !ok {
		return nil, false
	}
	found := urlsByID.Find(s.config.State.View(), id)
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

type webHandler struct{ s *Service }

// ServeCall implements service.Handler.
func (h webHandler) ServeCall(w http.ResponseWriter, call *api.Call) {
	host := call.HTTP.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, isURL := h.s.idOfHost(host); !isURL {
		call.Operation = "DownloadCode"
		h.s.download(w, call)
		return
	}
	call.Operation = "InvokeFunctionUrl"
	u, ok := h.s.urlOfHost(host)
	// A VPC endpoint does not lead to URLs, whatever name a client sends there.
	if !ok || call.Origin.Door == api.DoorEndpoint {
		forbid(w)
		return
	}
	if answersCORS(w, call.HTTP, u.CORS) {
		return
	}
	if err := h.s.mayUseURL(call, u); err != nil {
		forbid(w)
		return
	}
	h.s.serveURL(w, call, u)
}

// mayUseURL asks the policies: the function's own, and of who signed also those of the caller.
func (s *Service) mayUseURL(call *api.Call, u *resource.FunctionURL) error {
	if s.config.Authorize == nil {
		return errors.New("nobody decides")
	}
	if u.AuthType != "NONE" && call.Caller.Type == api.Anonymous { // whatever the policy says
		return errors.New("the request is not signed")
	}
	view := s.config.State.View()
	n := functionName{Name: u.Function, Qualifier: u.Qualifier}
	var own *policy.Document
	if p := policyOf(view, &u.Function, text(u.Qualifier)); p.Text != "" {
		var err error
		if own, err = policy.Parse(p.Name, policy.Resource, []byte(p.Text)); err != nil {
			return err
		}
	}
	keys := map[string][]string{
		"lambda:functionurlauthtype": {u.AuthType}, "lambda:functionarn": {n.arn(view)}, "lambda:invokedviafunctionurl": {"true"},
	}
	// Since October 2025 new URLs need both. See the Lambda guide, "Control access to Lambda function URLs".
	for _, action := range []string{"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"} {
		if err := s.config.Authorize(view, call, action, n.arn(view), own, keys); err != nil {
			return err
		}
	}
	return nil
}

// serveURL invokes the function with the request and answers with what it says.
func (s *Service) serveURL(w http.ResponseWriter, call *api.Call, u *resource.FunctionURL) {
	body, err := io.ReadAll(call.HTTP.Body)
	if err != nil {
		say(w, http.StatusBadRequest, "Bad Request")
		return
	}
	event, err := json.Marshal(urlEvent(call, u, body))
	if err != nil || len(event) > maxPayload {
		say(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	n := functionName{Name: u.Function, Qualifier: u.Qualifier}
	in := Invocation{RequestID: call.RequestID, Payload: event, InvokedARN: n.arn(s.config.State.View()), TraceID: call.HTTP.Header.Get("X-Amzn-Trace-Id")}
	w.Header().Set("X-Amzn-Requestid", call.RequestID)
	if u.InvokeMode == "RESPONSE_STREAM" {
		s.streamURL(w, call, n, in)
		return
	}
	result, _, err := s.run(call.HTTP.Context(), n, in)
	answerInvocation(w, result, err)
}

func answerInvocation(w http.ResponseWriter, result Result, err error) {
	var t *Throttled
	e := api.AsError(throttling(err))
	switch {
	case errors.As(err, &t), e != nil && e.Status == http.StatusTooManyRequests:
		say(w, http.StatusTooManyRequests, "Rate Exceeded.")
	case err != nil, result.FunctionError != "":
		internalServerError(w)
	default:
		answerURL(w, result.Payload)
	}
}

// internalServerError is what the caller learns of a function that failed.
func internalServerError(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = io.WriteString(w, "Internal Server Error")
}

// urlAnswer is what a function may say, in the format 2.0.
type urlAnswer struct {
	StatusCode      *int            `json:"statusCode"`
	Headers         map[string]any  `json:"headers"`
	Body            json.RawMessage `json:"body"`
	Cookies         []string        `json:"cookies"`
	IsBase64Encoded bool            `json:"isBase64Encoded"`
}

// answerURL turns what a function said into an answer. What is no such structure is the body itself.
func answerURL(w http.ResponseWriter, payload []byte) {
	var a urlAnswer
	if json.Unmarshal(payload, &a) != nil || a.StatusCode == nil {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(unquoted(payload))
		return
	}
	body := unquoted(a.Body)
	if a.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(string(body))
		if err != nil {
			internalServerError(w)
			return
		}
		body = decoded
	}
	if !headAnswer(w, a) {
		internalServerError(w)
		return
	}
	_, _ = w.Write(body)
}

// headAnswer writes status and headers, false if they cannot be.
func headAnswer(w http.ResponseWriter, a urlAnswer) bool {
	if *a.StatusCode < 200 || *a.StatusCode > 599 {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	for name, v := range a.Headers {
		if !slices.Contains(connectionHeaders(), strings.ToLower(name)) {
			w.Header().Set(name, headerText(v))
		}
	}
	for _, c := range a.Cookies {
		w.Header().Add("Set-Cookie", c)
	}
	w.WriteHeader(*a.StatusCode)
	return true
}

// connectionHeaders are about a connection, not about what is said on it.
func connectionHeaders() []string {
	return []string{"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te", "trailer", "proxy-connection"}
}

func headerText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	b, _ := json.Marshal(v) // it came out of JSON
	return string(b)
}

// unquoted is a JSON text without its quotes, and any other JSON as it is.
func unquoted(b []byte) []byte {
	var text string
	if json.Unmarshal(b, &text) == nil && string(b) != "null" {
		return []byte(text)
	}
	if string(b) == "null" {
		return nil
	}
	return b
}
