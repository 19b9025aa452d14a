package wire

import (
	"reflect"
	"time"
)

// formDecoder fills structs from a form's tree.
type formDecoder struct {
	planner *planner
	dialect dialect
	item    string // the element of lists that are not flat; empty: all lists are flat (ec2Query)
	// memberNames also accepts a member by its name in the model where that is not its name on the wire. EC2
	// does: IpPermissions.1.UserIdGroupPairs.1 is IpPermissions.1.Groups.1.
	memberNames bool
}

// decode fills input from the form, and refuses what it does not know.
func (d *formDecoder) decode(root *node, input any) error {
	v := reflect.ValueOf(input).Elem()
	if err := d.structure(root, v); err != nil {
		return err
	}
	if key := root.unused(); key != "" {
		return d.dialect.unknown(key)
	}
	return nil
}

func (d *formDecoder) structure(n *node, v reflect.Value) error {
	fields := d.planner.of(v.Type()).fields
	for i := range fields {
		f := &fields[i]
		child := n.children[f.in]
		if child == nil && d.memberNames {
			child = n.children[f.goName]
		}
		if child == nil {
			continue
		}
		if err := d.value(child, v.Field(f.index), f); err != nil {
			return err
		}
	}
	return nil
}

func (d *formDecoder) value(n *node, v reflect.Value, f *field) error {
	t := v.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		return d.value(n, v.Elem(), f)
	case t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]():
		return d.structure(n, v)
	case t.Kind() == reflect.Slice && !isBlob(t):
		return d.list(n, v, f)
	case t.Kind() == reflect.Map:
		return d.table(n, v, f)
	}
	if n.value == nil {
		return d.dialect.unknown(firstKey(n))
	}
	n.used = true
	if err := parseScalar(*n.value, v, f.timeFormat); err != nil {
		return d.dialect.invalid(n.key, *n.value, t)
	}
	return nil
}

func (d *formDecoder) list(n *node, v reflect.Value, f *field) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	if n.value != nil && *n.value == "" {
		n.used = true // an empty list
	}
	if d.item != "" && !f.flat {
		n = n.children[f.itemOr(d.item)]
		if n == nil {
			return nil
		}
	}
	items, err := n.list()
	if err != nil {
		return d.dialect.malformed(err.Error())
	}
	for _, item := range items {
		e := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(item, e, f); err != nil {
			return err
		}
		v.Set(reflect.Append(v, e))
	}
	return nil
}

// table reads a map, Name.entry.1.key and Name.entry.1.value.
func (d *formDecoder) table(n *node, v reflect.Value, f *field) error {
	v.Set(reflect.MakeMap(v.Type()))
	if !f.flat {
		n = n.children["entry"]
		if n == nil {
			return nil
		}
	}
	entries, err := n.list()
	if err != nil {
		return d.dialect.malformed(err.Error())
	}
	for _, entry := range entries {
		value := entry.children["value"]
		if entry.children["key"] == nil || value == nil {
			return d.dialect.malformed(entry.key + " has no key or no value")
		}
		e := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(value, e, f); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(entry.take("key")), e)
	}
	return nil
}

// firstKey is a key below n that has a value.
func firstKey(n *node) string {
	if key := n.unused(); key != "" {
		return key
	}
	return n.key
}
