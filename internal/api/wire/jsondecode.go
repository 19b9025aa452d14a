package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

const maxJSONDepth = 100

// parseJSON reads one JSON object; numbers stay texts. An empty body is an empty object.
func parseJSON(body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not UTF-8")
	}
	if tooDeep(body) {
		return nil, errors.New("the body is nested too deeply")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return nil, errors.New("the body is not a JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the body goes on after the JSON object")
	}
	return object, nil
}

// tooDeep reports whether brackets nest deeper than any AWS shape does.
func tooDeep(body []byte) bool {
	depth, inString, escaped := 0, false, false
	for _, b := range body {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped = b == '\\'
			inString = b != '"'
		case b == '"':
			inString = true
		case b == '{' || b == '[':
			if depth++; depth > maxJSONDepth {
				return true
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return false
}

// jsonDecoder fills structs from parsed JSON.
type jsonDecoder struct {
	planner *planner
	dialect dialect
}

// structure fills the members of v that are in the body.
func (d *jsonDecoder) structure(object map[string]any, v reflect.Value, path string) error {
	known := map[string]bool{}
	fields := d.planner.of(v.Type()).fields
	for i := range fields {
		f := &fields[i]
		if f.where != inBody {
			continue
		}
		known[f.in] = true
		x, ok := object[f.in]
		if !ok || x == nil {
			continue
		}
		if err := d.value(x, v.Field(f.index), f, join(path, f.in)); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !known[name] && !blank(object[name]) {
			return d.dialect.unknown(join(path, excerpt(name)))
		}
	}
	return nil
}

// blank reports whether a value asks for nothing. A member that is unknown here is newer than the model: to
// ignore one that asks for something would be to claim that it was done.
func blank(x any) bool {
	switch x := x.(type) {
	case nil:
		return true
	case bool:
		return !x
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	}
	return false
}

func (d *jsonDecoder) value(x any, v reflect.Value, f *field, path string) error {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		v.Set(reflect.New(t.Elem()))
		return d.value(x, v.Elem(), f, path)
	}
	switch x := x.(type) {
	case map[string]any:
		if t.Kind() == reflect.Struct && !isTime(t) {
			return d.structure(x, v, path)
		}
		if t.Kind() == reflect.Map {
			return d.table(x, v, f, path)
		}
	case []any:
		if t.Kind() == reflect.Slice && !isBlob(t) {
			return d.list(x, v, f, path)
		}
	default:
		if d.scalar(x, v, f) {
			return nil
		}
	}
	return d.dialect.invalid(path, jsonText(x), t)
}

func (d *jsonDecoder) list(x []any, v reflect.Value, f *field, path string) error {
	v.Set(reflect.MakeSlice(v.Type(), len(x), len(x)))
	for i, e := range x {
		at := fmt.Sprintf("%s.%d.member", path, i+1)
		if e == nil {
			return d.dialect.invalid(at, "null", v.Type().Elem())
		}
		if err := d.value(e, v.Index(i), f, at); err != nil {
			return err
		}
	}
	return nil
}

func (d *jsonDecoder) table(x map[string]any, v reflect.Value, f *field, path string) error {
	v.Set(reflect.MakeMap(v.Type()))
	for _, key := range slices.Sorted(maps.Keys(x)) {
		if x[key] == nil {
			continue
		}
		e := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(x[key], e, f, join(path, excerpt(key))); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key), e)
	}
	return nil
}

// scalar sets v if x is of the JSON type that v's type is written as.
func (d *jsonDecoder) scalar(x any, v reflect.Value, f *field) bool {
	t := v.Type()
	switch x := x.(type) {
	case bool:
		if t.Kind() == reflect.Bool {
			v.SetBool(x)
			return true
		}
	case json.Number:
		if t.Kind() == reflect.Int64 || t.Kind() == reflect.Float64 {
			return parseScalar(wholeNumber(x.String()), v, "") == nil
		}
		if isTime(t) && (f.timeFormat == "" || f.timeFormat == timeUnix) {
			return parseScalar(x.String(), v, timeUnix) == nil
		}
	case string:
		isTextTime := isTime(t) && f.timeFormat != "" && f.timeFormat != timeUnix
		if t.Kind() == reflect.String || isBlob(t) || isTextTime {
			return parseScalar(x, v, f.timeFormat) == nil
		}
	}
	return false
}

// wholeNumber drops a fraction of zeros, which some JSON writers give integers.
func wholeNumber(s string) string {
	whole, fraction, _ := strings.Cut(s, ".")
	if strings.Trim(fraction, "0") == "" {
		return whole
	}
	return s
}

func jsonText(x any) string {
	text, err := json.Marshal(x)
	if err != nil {
		return "?"
	}
	return string(text)
}
