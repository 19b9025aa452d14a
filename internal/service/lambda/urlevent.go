package lambda

import (
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// urlEvent is a request to a function's URL as the function gets it: API Gateway's payload format 2.0. See the
// Lambda guide, "Invoking Lambda function URLs".
func urlEvent(call *api.Call, u *resource.FunctionURL, body []byte) map[string]any {
	r, host := call.HTTP, urlHost(call.Region, u.ID)
	headers := map[string]string{}
	for name, values := range r.Header {
		if name = strings.ToLower(name); name != "cookie" && !slices.Contains(connectionHeaders(), name) {
			headers[name] = strings.Join(values, ",")
		}
	}
	headers["host"] = host
	headers["x-forwarded-for"], headers["x-forwarded-proto"], headers["x-forwarded-port"] = call.Origin.SourceIP.String(), "https", "443"
	if len(body) > 0 {
		headers["content-length"] = strconv.Itoa(len(body))
	}
	account := "anonymous"
	request := map[string]any{
		"apiId": u.ID, "domainName": host, "domainPrefix": u.ID, "requestId": call.RequestID, "routeKey": "$default", "stage": "$default",
		"time": call.Time.UTC().Format("02/Jan/2006:15:04:05 -0700"), "timeEpoch": call.Time.UnixMilli(),
		"http": map[string]any{
			"method": r.Method, "path": r.URL.Path, "protocol": r.Proto, "sourceIp": call.Origin.SourceIP.String(), "userAgent": r.UserAgent(),
		},
	}
	if c := call.Caller; u.AuthType == "AWS_IAM" && c.Type != api.Anonymous {
		account = c.Account
		request["authorizer"] = map[string]any{"iam": map[string]any{
			"accessKey": c.AccessKeyID, "accountId": c.Account, "callerId": c.UserID, "cognitoIdentity": nil, "principalOrgId": nil,
			"userArn": c.ARN, "userId": c.UserID,
		}}
	}
	request["accountId"] = account
	event := map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": r.URL.EscapedPath(), "rawQueryString": r.URL.RawQuery,
		"headers": headers, "requestContext": request, "isBase64Encoded": false,
	}
	if q := joined(r.URL.Query()); len(q) > 0 {
		event["queryStringParameters"] = q
	}
	if c := cookiesOf(r); len(c) > 0 {
		event["cookies"] = c
	}
	if len(body) > 0 {
		event["body"] = string(body)
		if !isText(r.Header.Get("Content-Type")) {
			event["body"], event["isBase64Encoded"] = base64.StdEncoding.EncodeToString(body), true
		}
	}
	return event
}

func joined(q url.Values) map[string]string {
	out := map[string]string{}
	for name, values := range q {
		out[name] = strings.Join(values, ",")
	}
	return out
}

func cookiesOf(r *http.Request) []string {
	var out []string
	for _, line := range r.Header.Values("Cookie") {
		for c := range strings.SplitSeq(line, ";") {
			if c = strings.TrimSpace(c); c != "" {
				out = append(out, c)
			}
		}
	}
	return out
}

// isText reports whether a body goes into the event as it is.
func isText(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml") ||
		slices.Contains([]string{"application/json", "application/javascript", "application/xml"}, media)
}

// answersCORS tells pages of other sites what they may, and answers the question that a browser asks before.
func answersCORS(w http.ResponseWriter, r *http.Request, c *resource.FunctionURLCORS) bool {
	origin := r.Header.Get("Origin")
	allowed := func(list []string, v string) bool {
		return slices.ContainsFunc(list, func(o string) bool { return o == "*" || strings.EqualFold(o, v) })
	}
	if c == nil || origin == "" || !allowed(c.AllowOrigins, origin) {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	if slices.Contains(c.AllowOrigins, "*") && !c.AllowCredentials {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	h.Add("Vary", "Origin")
	if c.AllowCredentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposeHeaders, ","))
	}
	method := r.Header.Get("Access-Control-Request-Method")
	if r.Method != http.MethodOptions || method == "" {
		return false
	}
	if allowed(c.AllowMethods, method) {
		h.Set("Access-Control-Allow-Methods", strings.Join(c.AllowMethods, ","))
		h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowHeaders, ","))
		if c.MaxAge > 0 {
			h.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
		}
	}
	w.WriteHeader(http.StatusOK)
	return true
}
