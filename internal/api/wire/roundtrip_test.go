package wire

import (
	"net/http/httptest"
	"net/url"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/culvert-cloud/culvert/internal/api"
)

// anyCreateInput draws inputs that satisfy the constraints of their tags.
func anyCreateInput() *rapid.Generator[*createInput] {
	return rapid.Custom(func(t *rapid.T) *createInput {
		in := &createInput{CidrBlock: ptr(rapid.String().Draw(t, "cidr"))}
		if rapid.Bool().Draw(t, "more") {
			in.Amazon = ptr(rapid.Bool().Draw(t, "amazon"))
			in.MaxResults = ptr(rapid.Int64Range(5, 1000).Draw(t, "max"))
			in.Ratio = ptr(rapid.Float64().Draw(t, "ratio"))
			in.When = ptr(time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "when")).UTC())
			in.Data = rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		}
		in.GroupIds = rapid.SliceOfN(rapid.String(), 1, 12).Draw(t, "groups")
		for range rapid.IntRange(0, 3).Draw(t, "specs") {
			in.Specs = append(in.Specs, tagSpecification{
				ResourceType: ptr(rapid.String().Draw(t, "type")),
				Tags:         []tagShape{{Key: ptr(rapid.String().Draw(t, "key"))}, {Key: ptr("k"), Value: ptr(rapid.String().Draw(t, "value"))}},
			})
		}
		return in
	})
}

// formOf encodes an input as an SDK does. item is "" for flat lists.
func formOf(p *planner, v reflect.Value, item, prefix string, form url.Values) {
	for _, f := range p.of(v.Type()).fields {
		m := v.Field(f.index)
		if !m.IsNil() {
			formValue(p, m, &f, item, join(prefix, f.in), form)
		}
	}
}

func formValue(p *planner, v reflect.Value, f *field, item, key string, form url.Values) {
	switch {
	case v.Kind() == reflect.Pointer:
		formValue(p, v.Elem(), f, item, key, form)
	case v.Kind() == reflect.Slice && !isBlob(v.Type()):
		if item != "" {
			key += "." + item
		}
		for i := range v.Len() {
			formValue(p, v.Index(i), f, item, key+"."+strconv.Itoa(i+1), form)
		}
	case v.Kind() == reflect.Struct && !isTime(v.Type()):
		formOf(p, v, item, key, form)
	default:
		form.Set(key, formatScalar(v, f, isoMillis))
	}
}

func TestFormsDecodeToWhatWasEncoded(t *testing.T) {
	for _, test := range []struct {
		protocol Protocol
		item     string
	}{{EC2Query, ""}, {AWSQuery, "member"}} {
		c := newCodec(t, Service{Protocol: test.protocol})
		rapid.Check(t, func(t *rapid.T) {
			want := anyCreateInput().Draw(t, "input")
			form := url.Values{"Action": {"X"}, "Version": {"1"}}
			formOf(new(planner), reflect.ValueOf(want).Elem(), test.item, "", form)
			got := new(createInput)
			if err := c.Decode(formRequest(form.Encode()), "X", got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestXMLAnswersAreWellFormedWhateverTheyHold(t *testing.T) {
	c := newCodec(t, Service{Protocol: EC2Query, Namespace: "http://x/"})
	rapid.Check(t, func(rt *rapid.T) {
		out := anyCreateInput().Draw(rt, "output")
		r, err := c.Output("r", "X", out)
		if err != nil {
			rt.Fatal(err)
		}
		got := wellFormed(t, r.Body)
		if len(got["XResponse/groupIdSet/item"]) != len(out.GroupIds) {
			rt.Errorf("%d groups of %d in %s", len(got["XResponse/groupIdSet/item"]), len(out.GroupIds), r.Body)
		}
	})
}

func TestJSONDecodesToWhatWasEncoded(t *testing.T) {
	c := logsCodec(t)
	rapid.Check(t, func(t *rapid.T) {
		want := &jsonShape{
			Name:  ptr(rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "name")),
			Count: ptr(rapid.Int64Range(-1<<62, 10000).Draw(t, "count")),
			Ratio: ptr(rapid.Float64().Draw(t, "ratio")),
			When:  ptr(time.UnixMilli(rapid.Int64Range(-4e12, 4e12).Draw(t, "when")).UTC()),
			ISO:   ptr(time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "iso")).UTC()),
			Data:  rapid.SliceOf(rapid.Byte()).Draw(t, "data"),
			Items: rapid.SliceOf(rapid.String()).Draw(t, "items"),
			Table: rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "table"),
		}
		r, err := c.Output("r", "X", want)
		if err != nil {
			t.Fatal(err)
		}
		got := new(jsonShape)
		if err := c.Decode(jsonRequest("Logs_20140328.X", string(r.Body)), "X", got); err != nil {
			t.Fatalf("%v: %s", err, r.Body)
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Error(diff)
		}
	})
}

// decodes checks what holds for every request: an error is AWS's, and can be sent.
func decodes(t *testing.T, c Codec, r *Request, input any) {
	operation, err := c.Operation(r)
	if err == nil {
		err = c.Decode(r, operation, input)
	}
	if err == nil {
		return
	}
	e := api.AsError(err)
	if e == nil {
		t.Fatalf("the error is not AWS's: %v", err)
	}
	if e.Status < 400 || e.Status > 499 {
		t.Errorf("a malformed request gets %d %v", e.Status, e)
	}
	if response := c.Error("r", e); len(response.Body) == 0 {
		t.Error("the error cannot be encoded")
	} else if response.Body[0] == '<' {
		wellFormed(t, response.Body)
	}
}

func FuzzForm(f *testing.F) {
	f.Add("Action=CreateVpc&CidrBlock=10.0.0.0%2F16&TagSpecification.1.Tag.1.Key=k&GroupId.1=a&Data=aGk=&When=2026-11-24T02:00:00Z&Ratio=1e3")
	f.Add("Action=X&GroupId.member.1=x&Groups.1.Key.2=&A..b=%zz&.=&=&&")
	ec2, query := newCodec(f, Service{Protocol: EC2Query}), newCodec(f, Service{Protocol: AWSQuery})
	f.Fuzz(func(t *testing.T, form string) {
		decodes(t, ec2, formRequest(form), new(createInput))
		decodes(t, query, formRequest(form), new(createInput))
	})
}

func FuzzJSON(f *testing.F) {
	f.Add(`{"name":"abc","count":3.0,"when":1700000000.5,"iso":"2026-01-02T03:04:05Z","data":"aGk=","inners":[{"id":"2"}],"table":{"k":"v"}}`)
	f.Add(`{"inner":{"id":null},"children":{"a":[]},"count":-0.0,"ratio":1E400}`)
	c := logsCodec(f)
	f.Fuzz(func(t *testing.T, body string) {
		decodes(t, c, jsonRequest("Logs_20140328.X", body), new(jsonShape))
	})
}

func FuzzREST(f *testing.F) {
	f.Add("POST", "/2015-03-31/functions/f%2F/invocations", "Qualifier=1&MaxItems=2&tagKeys=x", "{}")
	f.Add("PUT", "/2017-10-31/functions/a:b/concurrency", "", `{"Count":1}`)
	c := newCodec(f, restService())
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return // net/http would not have let it in
		}
		h := httptest.NewRequest("GET", "/", nil)
		h.Method, h.URL.Path, h.URL.RawPath, h.URL.RawQuery = method, u.Path, u.RawPath, query
		r := &Request{HTTP: h, Body: []byte(body)}
		operation, _ := c.Operation(r)
		if operation == "Put" {
			decodes(t, c, r, new(putInput))
		} else {
			decodes(t, c, r, new(invokeInput))
		}
	})
}
