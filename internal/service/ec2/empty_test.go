package ec2

import (
	"reflect"
	"testing"
)

// Programs index into lists that AWS always sends, however empty: a list that is nil would not be sent.
func TestEmptyListsAreSent(t *testing.T) {
	w := newWorld(t)
	for _, o := range New(Config{}).Operations {
		if o.View == nil {
			continue
		}
		out, err := o.View(w.store.View(), nil, o.NewInput())
		if err != nil {
			continue // needs parameters
		}
		v := reflect.ValueOf(out).Elem()
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Slice && f.IsNil() {
				t.Errorf("%s: %s is nil", o.Name, v.Type().Field(i).Name)
			}
		}
	}
	vpc := w.vpc("10.0.0.0/16")
	g := w.groupNow(w.group(vpc, "web"))
	if p := g.IpPermissionsEgress[0]; g.IpPermissions == nil || p.UserIdGroupPairs == nil || p.Ipv6Ranges == nil || p.PrefixListIds == nil {
		t.Errorf("group has nil lists: %+v", g)
	}
	if table := see(w, w.describeRouteTables, DescribeRouteTablesInput{RouteTableIds: []string{*w.routeTable(vpc)}}).RouteTables[0]; table.Associations == nil {
		t.Errorf("route table has nil lists: %+v", table)
	}
}
