package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// jsonWriter writes structs as JSON.
type jsonWriter struct {
	bytes.Buffer
	planner *planner
}

// structure writes the members of v that are in the body and not nil.
func (w *jsonWriter) structure(v reflect.Value) {
	w.WriteByte('{')
	first := true
	fields := w.planner.of(v.Type()).fields
	for i := range fields {
		f := &fields[i]
		m := v.Field(f.index)
		if f.where != inBody || m.IsNil() {
			continue
		}
		if !first {
			w.WriteByte(',')
		}
		first = false
		w.quote(f.out)
		w.WriteByte(':')
		w.value(m, f)
	}
	w.WriteByte('}')
}

func (w *jsonWriter) value(v reflect.Value, f *field) {
	t := v.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		w.value(v.Elem(), f)
	case isTime(t):
		w.time(v.Interface().(time.Time).UTC(), f)
	case isBlob(t):
		w.quote(base64.StdEncoding.EncodeToString(v.Bytes()))
	case t.Kind() == reflect.Struct:
		w.structure(v)
	case t.Kind() == reflect.Slice:
		w.list(v, f)
	case t.Kind() == reflect.Map:
		w.table(v, f)
	case t.Kind() == reflect.String:
		w.quote(v.String())
	default:
		w.WriteString(formatScalar(v, f, isoMillis))
	}
}

func (w *jsonWriter) list(v reflect.Value, f *field) {
	w.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			w.WriteByte(',')
		}
		w.value(v.Index(i), f)
	}
	w.WriteByte(']')
}

func (w *jsonWriter) table(v reflect.Value, f *field) {
	w.WriteByte('{')
	for i, key := range slices.Sorted(maps.Keys(stringKeys(v))) {
		if i > 0 {
			w.WriteByte(',')
		}
		w.quote(key)
		w.WriteByte(':')
		w.value(v.MapIndex(reflect.ValueOf(key)), f)
	}
	w.WriteByte('}')
}

// time writes seconds since 1970 unless the model asks for a text.
func (w *jsonWriter) time(t time.Time, f *field) {
	switch f.timeFormat {
	case "", timeUnix:
		w.WriteString(unixText(t))
	case timeRFC822:
		w.quote(t.Format(rfc822Times))
	default:
		w.quote(t.Format(isoMillis))
	}
}

func (w *jsonWriter) quote(s string) {
	e := json.NewEncoder(&w.Buffer)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		w.WriteString(strconv.QuoteToASCII(s)) // cannot happen: strings always encode
		return
	}
	w.Truncate(w.Len() - 1) // the encoder's newline
}
