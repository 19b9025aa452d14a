package wire

import (
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Shapes of the tests, one for each thing that a tag can say.
type (
	tagShape struct {
		Key   *string `wire:"Key,out=key,required"`
		Value *string `wire:"Value,out=value"`
	}
	tagSpecification struct {
		ResourceType *string    `wire:"ResourceType,out=resourceType"`
		Tags         []tagShape `wire:"Tag,out=tagSet"`
	}
	createInput struct {
		CidrBlock  *string            `wire:"CidrBlock,out=cidrBlock,required"`
		Amazon     *bool              `wire:"AmazonProvided,out=amazonProvided"`
		MaxResults *int64             `wire:"MaxResults,out=maxResults,min=5,max=1000"`
		Ratio      *float64           `wire:"Ratio,out=ratio"`
		When       *time.Time         `wire:"When,out=when"`
		Data       []byte             `wire:"Data,out=data"`
		GroupIds   []string           `wire:"GroupId,out=groupIdSet"`
		UserGroups []tagShape         `wire:"Groups,out=groups"`
		Specs      []tagSpecification `wire:"TagSpecification,out=tagSpecificationSet"`
	}
	emptyShape struct{}

	jsonShape struct {
		Name     *string              `wire:"name,required,min=1,max=8" pattern:"[a-z]+"`
		Class    *string              `wire:"class" enum:"A|B"`
		Count    *int64               `wire:"count,max=10000"`
		Ratio    *float64             `wire:"ratio"`
		On       *bool                `wire:"on"`
		When     *time.Time           `wire:"when"`
		ISO      *time.Time           `wire:"iso,time=iso8601"`
		Data     []byte               `wire:"data"`
		Items    []string             `wire:"items"`
		Inner    *jsonInner           `wire:"inner"`
		Inners   []jsonInner          `wire:"inners"`
		Table    map[string]string    `wire:"table"`
		Children map[string]jsonInner `wire:"children"`
	}
	jsonInner struct {
		ID *string `wire:"id,required"`
	}

	invokeInput struct {
		FunctionName *string  `wire:"FunctionName,uri,required"`
		Qualifier    *string  `wire:"Qualifier,query"`
		MaxItems     *int64   `wire:"MaxItems,query"`
		TagKeys      []string `wire:"tagKeys,query"`
		Type         *string  `wire:"X-Amz-Invocation-Type,header"`
		Payload      []byte   `wire:"Payload,payload"`
	}
	invokeOutput struct {
		StatusCode *int64  `wire:"StatusCode,status"`
		Error      *string `wire:"X-Amz-Function-Error,header"`
		Payload    []byte  `wire:"Payload,payload"`
	}
	putInput struct {
		FunctionName *string `wire:"FunctionName,uri,required"`
		Count        *int64  `wire:"Count,required"`
	}
)

func ptr[T any](v T) *T { return &v }

func newCodec(t testing.TB, s Service) Codec {
	t.Helper()
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func formRequest(form string) *Request {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return &Request{HTTP: r, Body: []byte(form)}
}

// pairs makes a form of name, value, name, value, ...
func pairs(t *testing.T, nameValues ...string) string {
	t.Helper()
	v := url.Values{}
	for i := 0; i < len(nameValues); i += 2 {
		v.Add(nameValues[i], nameValues[i+1])
	}
	return v.Encode()
}

func jsonRequest(target, body string) *Request {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("X-Amz-Target", target)
	return &Request{HTTP: r, Body: []byte(body)}
}

func restRequest(method, target, body string) *Request {
	return &Request{HTTP: httptest.NewRequest(method, target, nil), Body: []byte(body)}
}

// wellFormed fails unless the body is one XML document; it returns its elements' texts by path.
func wellFormed(t testing.TB, body []byte) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	var path []string
	d := xml.NewDecoder(strings.NewReader(string(body)))
	var text strings.Builder
	for {
		token, err := d.Token()
		if token == nil {
			if len(path) != 0 || err.Error() != "EOF" {
				t.Fatalf("the answer is not well-formed: %v\n%s", err, body)
			}
			return found
		}
		switch e := token.(type) {
		case xml.StartElement:
			path = append(path, e.Name.Local)
			text.Reset()
		case xml.CharData:
			text.Write(e)
		case xml.EndElement:
			key := strings.Join(path, "/")
			found[key] = append(found[key], text.String())
			path = path[:len(path)-1]
			text.Reset()
		}
	}
}

func header(r *Response, name string) string { return http.Header(r.Header).Get(name) }
