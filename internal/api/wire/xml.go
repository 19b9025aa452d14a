package wire

import (
	"bytes"
	"encoding/xml"
	"maps"
	"reflect"
	"slices"
)

// xmlWriter writes structs as AWS's XML answers.
type xmlWriter struct {
	bytes.Buffer
	planner *planner
	item    string // the element of lists, where the tag says nothing
	iso     string // the layout of times
}

// element writes <name>inner</name>.
func (w *xmlWriter) element(name string, inner func()) {
	w.WriteString("<" + name + ">")
	inner()
	w.WriteString("</" + name + ">")
}

// text writes an element that holds a text. Characters that XML cannot hold become U+FFFD.
func (w *xmlWriter) text(name, text string) {
	w.element(name, func() { _ = xml.EscapeText(w, []byte(text)) }) // a Buffer never fails
}

// structure writes the members of v that are not nil.
func (w *xmlWriter) structure(v reflect.Value) {
	fields := w.planner.of(v.Type()).fields
	for i := range fields {
		f := &fields[i]
		if m := v.Field(f.index); !m.IsNil() {
			w.value(f.out, m, f)
		}
	}
}

func (w *xmlWriter) value(name string, v reflect.Value, f *field) {
	t := v.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		w.value(name, v.Elem(), f)
	case t.Kind() == reflect.Struct && !isTime(t):
		w.element(name, func() { w.structure(v) })
	case t.Kind() == reflect.Slice && !isBlob(t):
		w.list(name, v, f)
	case t.Kind() == reflect.Map:
		w.element(name, func() { w.table(v, f) })
	default:
		w.text(name, formatScalar(v, f, w.iso))
	}
}

func (w *xmlWriter) list(name string, v reflect.Value, f *field) {
	items := func(item string) {
		for i := range v.Len() {
			w.value(item, v.Index(i), f)
		}
	}
	if f.flat {
		items(name)
		return
	}
	w.element(name, func() { items(f.itemOr(w.item)) })
}

func (w *xmlWriter) table(v reflect.Value, f *field) {
	keys := slices.Sorted(maps.Keys(stringKeys(v)))
	for _, k := range keys {
		w.element("entry", func() {
			w.text("key", k)
			w.value("value", v.MapIndex(reflect.ValueOf(k)), f)
		})
	}
}

// stringKeys returns the keys of a map with string keys.
func stringKeys(v reflect.Value) map[string]bool {
	keys := map[string]bool{}
	for _, k := range v.MapKeys() {
		keys[k.String()] = true
	}
	return keys
}

// document begins an XML document whose root is name; the function ends it.
func (w *xmlWriter) document(name, namespace string) (end func()) {
	w.WriteString(xml.Header)
	w.WriteString("<" + name)
	if namespace != "" {
		w.WriteString(` xmlns="`)
		_ = xml.EscapeText(w, []byte(namespace))
		w.WriteString(`"`)
	}
	w.WriteString(">")
	return func() { w.WriteString("</" + name + ">\n") }
}

// structOf returns the struct that output points to, and false if there is none.
func structOf(output any) (reflect.Value, bool) {
	v := reflect.ValueOf(output)
	for v.IsValid() && v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v, v.IsValid() && v.Kind() == reflect.Struct
}
