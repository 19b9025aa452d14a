package wire

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
)

// dialect is how a protocol's services word what is wrong with a request.
type dialect interface {
	malformed(text string) *api.Error
	// invalid: a text or JSON value is not of the member's type.
	invalid(key, value string, want reflect.Type) *api.Error
	unknown(key string) *api.Error
	violations([]violation) *api.Error
}

// check validates a decoded input.
func check(p *planner, d dialect, input any, emptyLists bool) error {
	c := &validator{planner: p, emptyLists: emptyLists}
	c.structure(reflect.ValueOf(input).Elem(), "", "")
	if len(c.found) > 0 {
		return d.violations(c.found)
	}
	return nil
}

// ec2Dialect names parameters as the request does, one at a time.
type ec2Dialect struct{}

func (ec2Dialect) malformed(text string) *api.Error {
	return api.Errorf("MalformedQueryString", "The query string contains a syntax error: %s", text)
}

func (ec2Dialect) invalid(key, value string, want reflect.Type) *api.Error {
	return api.Errorf("InvalidParameterValue", "Value (%s) for parameter %s is invalid. Expecting %s.", excerpt(value), key, typeName(want))
}

func (ec2Dialect) unknown(key string) *api.Error {
	return api.Errorf("UnknownParameter", "The parameter %s is not recognized", key)
}

func (ec2Dialect) violations(all []violation) *api.Error {
	v := all[0]
	switch {
	case v.missing:
		return api.Errorf("MissingParameter", "The request must contain the parameter %s", v.key)
	case v.expecting != "":
		return api.Errorf("InvalidParameterValue", "Value ( %s ) for parameter %s is invalid. Expecting a value %s.", excerpt(v.value), v.key, v.expecting)
	}
	return api.Errorf("InvalidParameterValue", "Value (%s) for parameter %s is invalid.", excerpt(v.value), v.key)
}

// validating is the wording of AWS's common validation layer; code is the service's error code for it. As it
// is, it is the dialect of awsQuery.
type validating struct{ code string }

func (validating) malformed(text string) *api.Error {
	return api.Errorf("MalformedQueryString", "The query string contains a syntax error: %s", text)
}

func (validating) invalid(key, value string, want reflect.Type) *api.Error {
	return api.Errorf("MalformedInput", "The value '%s' at %s is not %s", excerpt(value), key, typeName(want))
}

func (d validating) unknown(key string) *api.Error {
	return api.Errorf(d.code, "The parameter %s is not recognized or not supported by Culvert", key)
}

func (d validating) violations(all []violation) *api.Error {
	var texts []string
	for _, v := range all {
		value := "null"
		if !v.missing {
			value = "'" + excerpt(v.value) + "'"
		}
		texts = append(texts, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, v.path, v.constraint))
	}
	plural := ""
	if len(texts) > 1 {
		plural = "s"
	}
	return api.Errorf(d.code, "%d validation error%s detected: %s", len(texts), plural, strings.Join(texts, "; "))
}

// jsonDialect is that of awsJson1.1.
type jsonDialect struct{ validating }

func (jsonDialect) malformed(text string) *api.Error {
	return api.Errorf("SerializationException", "%s", text)
}

func (jsonDialect) invalid(key, value string, want reflect.Type) *api.Error {
	return api.Errorf("SerializationException", "The value %s at '%s' is not %s", excerpt(value), key, typeName(want))
}

// restDialect is that of restJson1.
type restDialect struct{ validating }

func (restDialect) malformed(text string) *api.Error {
	return api.Errorf("InvalidRequestContentException", "Could not parse request body into json: %s", text)
}

func (restDialect) invalid(key, value string, want reflect.Type) *api.Error {
	return api.Errorf("SerializationException", "The value %s at '%s' is not %s", excerpt(value), key, typeName(want))
}

// excerpt keeps messages, which are logged and sent back, short.
func excerpt(s string) string {
	const most = 1024
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isTime(t):
		return "a timestamp"
	case isBlob(t):
		return "base64"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Int64:
		return "an integer"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "a structure"
}

// unknownOperation is what REST services answer where method and path name nothing.
func unknownOperation(method, path string) *api.Error {
	return api.Errorf("UnknownOperationException", "%s %s is no operation that Culvert supports (docs/coverage.md and culvert status --json list them)", method, excerpt(path)).WithStatus(http.StatusNotFound)
}
