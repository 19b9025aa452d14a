package servicetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/culvert-cloud/culvert/internal/service"
)

// request is a call before it is signed.
type request struct {
	method string
	target string
	header map[string]string
	body   string
}

// member is a drawn value and where it goes.
type member struct {
	value   any // string, json.Number, bool, []any, map[string]any, blob
	options []string
}

// blob is text that a JSON body has in base64, and a payload as it is.
type blob string

// drawMembers draws values for the members of an input: the required ones always, others sometimes. They are of
// the right kind, mostly, and otherwise what nobody expects.
func drawMembers(t *rapid.T, input any) map[string]any {
	if reflect.TypeOf(input).Elem().NumField() == 0 {
		rapid.Bool().Draw(t, "nothing") // a generator must draw something
	}
	return drawStructure(t, reflect.TypeOf(input).Elem(), 0)
}

func drawStructure(t *rapid.T, typ reflect.Type, depth int) map[string]any {
	members := map[string]any{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		parts := strings.Split(f.Tag.Get("wire"), ",")
		required := slices.Contains(parts, "required") || slices.Contains(parts, "uri")
		if required || depth < 4 && rapid.IntRange(0, 3).Draw(t, "has "+f.Name) == 0 {
			members[parts[0]] = member{drawValue(t, f.Type, depth+1), parts[1:]}
		}
	}
	return members
}

func drawValue(t *rapid.T, typ reflect.Type, depth int) any {
	switch {
	case typ == reflect.TypeFor[time.Time]():
		return json.Number(strconv.Itoa(rapid.IntRange(-1, 2_000_000_000).Draw(t, "time")))
	case typ == reflect.TypeFor[[]byte]():
		return blob(rapid.SampledFrom(texts()).Draw(t, "blob"))
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return drawValue(t, typ.Elem(), depth)
	case reflect.Struct:
		return drawStructure(t, typ, depth)
	case reflect.Slice:
		var items []any
		for range rapid.IntRange(0, 2).Draw(t, "length") {
			items = append(items, drawValue(t, typ.Elem(), depth))
		}
		return items
	case reflect.Map:
		return map[string]any{rapid.SampledFrom(texts()).Draw(t, "key"): member{value: drawValue(t, typ.Elem(), depth)}}
	case reflect.Bool:
		return rapid.Bool().Draw(t, "bool")
	case reflect.Int64:
		return json.Number(rapid.SampledFrom([]string{"0", "1", "-1", "5", "80", "100", "65536", "2147483648", "9223372036854775807", "-9223372036854775808"}).Draw(t, "number"))
	case reflect.Float64:
		return json.Number(rapid.SampledFrom([]string{"0", "0.5", "-1e300"}).Draw(t, "number"))
	}
	return rapid.SampledFrom(texts()).Draw(t, "text")
}

// texts are what parsers of names, addresses, ids and documents stumble over.
func texts() []string {
	return []string{
		"", " ", "x", "*", "-", ".", "..", "/", "a/b", "\x00", "é\u202e", "\U0001F600", "{", "{}", "[]", "null", `"`, "0", "-1", "tcp", "all",
		"10.0.0.0/16", "10.0.0.0/33", "10.0.0.1", "0.0.0.0/0", "::/0", "fd00::/8", "300.1.1.1/24", "::ffff:10.0.0.0/104", "10.0.0.0/-1",
		"vpc-12345678", "subnet-0", "sg-0123456789abcdef0", "eni-", "rtb-x", "vpce-", "pl-", "default", "local", "vpc", "Gateway", "Interface",
		"com.amazonaws.us-west-2.s3", "us-west-2a", "enableDnsSupport", "vpc-id", "tag:Name", "aws:x", "Name", "name-1",
		"arn:aws:iam::000000000000:role/r", "arn:aws:iam::aws:policy/x", "arn:aws:", "arn:aws:lambda:us-west-2:000000000000:function:f:1",
		`{"Version":"2012-10-17","Statement":[]}`, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"python3.12", "index.handler", "Zip", "2026-11-24T02:00:00Z", "AAAA", strings.Repeat("a", 300), strings.Repeat("b", 5000),
	}
}

// newRequest makes a call of an operation with these members.
func (r *region) newRequest(o service.Operation, members map[string]any) request {
	switch r.definition.Protocol {
	case service.RESTJSON:
		return restRequest(o, members)
	case service.AWSJSON11:
		return request{method: "POST", target: "/", body: jsonText(members), header: map[string]string{
			"X-Amz-Target": r.definition.TargetPrefix + "." + o.Name, "Content-Type": "application/x-amz-json-1.1",
		}}
	}
	form := url.Values{"Action": {o.Name}, "Version": {r.definition.Version}}
	addForm(form, "", members, r.definition.Protocol == service.AWSQuery)
	return request{method: "POST", target: "/", body: form.Encode(), header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}
}

// addForm encodes members as a form does. Lists have a member element in awsQuery.
func addForm(form url.Values, key string, v any, element bool) {
	switch v := v.(type) {
	case member:
		addForm(form, key, v.value, element && !slices.Contains(v.options, "flat"))
	case map[string]any:
		for name, m := range v {
			addForm(form, strings.TrimPrefix(key+"."+name, "."), m, element)
		}
	case []any:
		if element {
			key += ".member"
		}
		for i, item := range v {
			addForm(form, key+"."+strconv.Itoa(i+1), item, element)
		}
	default:
		form.Set(key, fmt.Sprint(v))
	}
}

func restRequest(o service.Operation, members map[string]any) request {
	q := request{method: o.HTTPMethod, target: o.HTTPPath, header: map[string]string{}}
	query := url.Values{}
	body := map[string]any{}
	for name, x := range members {
		m := x.(member)
		switch text := fmt.Sprint(m.value); {
		case slices.Contains(m.options, "uri"):
			q.target = strings.ReplaceAll(q.target, "{"+name+"}", url.PathEscape(text))
		case slices.Contains(m.options, "query"):
			query.Set(name, text)
		case slices.Contains(m.options, "header"):
			q.header[name] = strings.Map(printable, text)
		case slices.Contains(m.options, "payload"):
			q.body = text
		default:
			body[name] = m
		}
	}
	if len(body) > 0 {
		q.body = jsonText(body)
	}
	if len(query) > 0 {
		q.target += "?" + query.Encode()
	}
	return q
}

// printable drops what cannot be in a header.
func printable(c rune) rune {
	if c < ' ' || c > '~' {
		return -1
	}
	return c
}

func jsonText(v any) string {
	text, err := json.Marshal(plain(v))
	if err != nil {
		return "{}" // cannot be: only texts, numbers, lists and maps are drawn
	}
	return string(text)
}

// plain turns drawn values into what encoding/json knows.
func plain(v any) any {
	switch v := v.(type) {
	case member:
		return plain(v.value)
	case blob:
		return []byte(v)
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, plain(x))
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name, x := range v {
			out[name] = plain(x)
		}
		return out
	}
	return v
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
