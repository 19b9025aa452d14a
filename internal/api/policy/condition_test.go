package policy

import (
	"encoding/json"
	"fmt"
	"testing"
)

func TestConditions(t *testing.T) {
	const present, absent = `present`, `absent`
	for _, c := range []struct {
		operator string
		value    string   // JSON
		actual   []string // nil: the request has no such key
		want     bool
	}{
		{"StringEquals", `"a"`, []string{"a"}, true},
		{"StringEquals", `"a"`, []string{"A"}, false},
		{"StringEquals", `["b","a"]`, []string{"a"}, true},
		{"StringEquals", `"a*"`, []string{"ab"}, false},
		{"StringEquals", `"a"`, nil, false},
		{"StringEqualsIfExists", `"a"`, nil, true},
		{"StringEqualsIfExists", `"a"`, []string{"b"}, false},
		{"StringNotEquals", `"a"`, nil, true},
		{"StringNotEquals", `["a","b"]`, []string{"b"}, false},
		{"StringNotEquals", `["a","b"]`, []string{"c"}, true},
		{"StringNotEquals", `"a"`, []string{"b", "a"}, false},
		{"StringNotEqualsIfExists", `"a"`, []string{"a"}, false},
		{"StringEqualsIgnoreCase", `"a"`, []string{"A"}, true},
		{"StringNotEqualsIgnoreCase", `"a"`, []string{"A"}, false},
		{"StringLike", `"vpce-*"`, []string{"vpce-1"}, true},
		{"StringLike", `"vpce-?"`, []string{"vpce-12"}, false},
		{"StringLike", `"*a*b*"`, []string{"xxaxxaxb"}, true},
		{"StringNotLike", `"vpce-*"`, []string{"vpce-1"}, false},
		{"StringNotLike", `"vpce-*"`, nil, true},

		{"NumericEquals", `"5"`, []string{"5.0"}, true},
		{"NumericEquals", `5`, []string{"5"}, true},
		{"NumericEquals", `"x"`, []string{"x"}, false},
		{"NumericNotEquals", `"5"`, []string{"6"}, true},
		{"NumericNotEquals", `"5"`, nil, true},
		{"NumericLessThan", `"10"`, []string{"9"}, true},
		{"NumericLessThan", `"10"`, []string{"10"}, false},
		{"NumericLessThanEquals", `"10"`, []string{"10"}, true},
		{"NumericGreaterThan", `"10"`, []string{"9"}, false},
		{"NumericGreaterThanEquals", `"10"`, []string{"10"}, true},
		{"NumericGreaterThan", `"10"`, []string{"NaN"}, false},

		{"DateLessThan", `"2026-01-01T00:00:00Z"`, []string{"2025-12-31T23:59:59Z"}, true},
		{"DateLessThan", `"2026-01-01"`, []string{"2026-01-01T00:00:00Z"}, false},
		{"DateGreaterThanEquals", `"1767225600"`, []string{"2026-01-01T00:00:00Z"}, true},
		{"DateEquals", `"2026-01-01T01:00:00+01:00"`, []string{"2026-01-01T00:00:00Z"}, true},
		{"DateGreaterThan", `"soon"`, []string{"2026-01-01T00:00:00Z"}, false},

		{"Bool", `"true"`, []string{"true"}, true},
		{"Bool", `true`, []string{"TRUE"}, true},
		{"Bool", `"true"`, []string{"1"}, false},
		{"Bool", `"false"`, nil, false},
		{"BoolIfExists", `"true"`, nil, true},

		{"IpAddress", `"10.0.0.0/8"`, []string{"10.1.2.3"}, true},
		{"IpAddress", `"10.0.0.0/8"`, []string{"11.1.2.3"}, false},
		{"IpAddress", `"10.1.2.3"`, []string{"10.1.2.3"}, true},
		{"IpAddress", `"10.1.2.3/8"`, []string{"10.9.9.9"}, true},
		{"IpAddress", `"10.0.0.0/8"`, []string{"::ffff:10.1.2.3"}, true},
		{"IpAddress", `"2001:db8::/32"`, []string{"2001:db8::1"}, true},
		{"IpAddress", `"10.0.0.0/8"`, nil, false},
		{"NotIpAddress", `"10.0.0.0/8"`, nil, true},
		{"NotIpAddress", `"10.0.0.0/8"`, []string{"10.1.2.3"}, false},
		{"NotIpAddress", `["10.0.0.0/8","192.168.0.0/16"]`, []string{"172.16.0.1"}, true},

		{"ArnLike", `"arn:aws:iam::*:role/a*"`, []string{"arn:aws:iam::000000000000:role/abc"}, true},
		{"ArnEquals", `"arn:aws:iam::*:role/a*"`, []string{"arn:aws:iam::000000000000:role/abc"}, true},
		{"ArnLike", `"arn:aws:*:role/abc"`, []string{"arn:aws:iam::000000000000:role/abc"}, false},
		{"ArnNotLike", `"arn:aws:iam::*:role/a*"`, []string{"arn:aws:iam::000000000000:role/b"}, true},
		{"ArnNotEquals", `"arn:aws:iam::*:role/a*"`, nil, true},

		{"BinaryEquals", `"aGk="`, []string{"aGk="}, true},
		{"BinaryEquals", `"aGk="`, []string{"hi"}, false},

		{"Null", `"true"`, nil, true},
		{"Null", `"true"`, []string{"a"}, false},
		{"Null", `"false"`, []string{"a"}, true},
		{"Null", `false`, nil, false},

		{"ForAllValues:StringEquals", `["a","b"]`, []string{"a", "b"}, true},
		{"ForAllValues:StringEquals", `["a","b"]`, []string{"a", "c"}, false},
		{"ForAllValues:StringEquals", `["a","b"]`, nil, true},
		{"ForAllValues:StringNotEquals", `["a","b"]`, []string{"c", "b"}, false},
		{"ForAnyValue:StringEquals", `["a","b"]`, []string{"c", "b"}, true},
		{"ForAnyValue:StringEquals", `["a","b"]`, []string{"c"}, false},
		{"ForAnyValue:StringEquals", `["a","b"]`, nil, false},
		{"ForAnyValue:StringNotEquals", `["a","b"]`, []string{"a", "c"}, true},
		{"ForAnyValue:StringNotEquals", `["a","b"]`, []string{"a", "b"}, false},
		{"ForAnyValue:StringNotEquals", `"a"`, nil, false},
		{"ForAnyValue:StringEqualsIfExists", `"a"`, nil, false},
	} {
		d := single(t, Identity, Allow, fmt.Sprintf(`"Condition":{%q:{"AWS:SomeKey":%s}}`, c.operator, c.value))
		context := map[string][]string{}
		state := absent
		if c.actual != nil {
			context["aws:somekey"], state = c.actual, present
		}
		got := Evaluate(Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Principal: reader, Context: context},
			Policies{Identity: []*Document{d}})
		if got.Allowed != c.want {
			t.Errorf("%s %s with %v (%s): %v, want %v", c.operator, c.value, c.actual, state, got.Allowed, c.want)
		}
	}
}

func TestPolicyVariables(t *testing.T) {
	context := map[string][]string{
		"aws:username": {"ann"}, "aws:userid": {"AROA1:s*"}, "aws:tagkeys": {"a", "b"}, "s3:prefix": {"ann/x"},
	}
	for _, c := range []struct {
		name     string
		version  string
		resource string
		more     string
		request  string
		want     bool
	}{
		{"expanded", "2012-10-17", "arn:aws:s3:::b/${aws:username}/*", "", "arn:aws:s3:::b/ann/k", true},
		{"in any case", "2012-10-17", "arn:aws:s3:::b/${AWS:UserName}/*", "", "arn:aws:s3:::b/ann/k", true},
		{"other value", "2012-10-17", "arn:aws:s3:::b/${aws:username}/*", "", "arn:aws:s3:::b/bob/k", false},
		{"old version: literal", "2008-10-17", "arn:aws:s3:::b/${aws:username}/*", "", "arn:aws:s3:::b/ann/k", false},
		{"old version: literal", "2008-10-17", "arn:aws:s3:::b/${aws:username}/*", "", "arn:aws:s3:::b/${aws:username}/k", true},
		{"absent key", "2012-10-17", "arn:aws:s3:::b/${aws:nosuchkey}*", "", "arn:aws:s3:::b/k", false},
		{"default", "2012-10-17", "arn:aws:s3:::b/${aws:nosuchkey, 'all'}/*", "", "arn:aws:s3:::b/all/k", true},
		{"list", "2012-10-17", "arn:aws:s3:::b/${aws:tagkeys}", "", "arn:aws:s3:::b/a", false},
		{"a star in a value is a star", "2012-10-17", "arn:aws:s3:::b/${aws:userid}", "", "arn:aws:s3:::b/AROA1:sx", false},
		{"a star in a value is a star", "2012-10-17", "arn:aws:s3:::b/${aws:userid}", "", "arn:aws:s3:::b/AROA1:s*", true},
		{"escaped star", "2012-10-17", "arn:aws:s3:::b/${*}x${?}${$}", "", "arn:aws:s3:::b/*x?$", true},
		{"escaped star is none", "2012-10-17", "arn:aws:s3:::b/${*}", "", "arn:aws:s3:::b/k", false},
		{"in a condition", "2012-10-17", "*", `"StringLike":{"s3:prefix":"${aws:username}/*"}`, "arn:aws:s3:::b", true},
		{"in a condition, folded", "2012-10-17", "*", `"StringEqualsIgnoreCase":{"s3:prefix":"${aws:username}/X"}`, "arn:aws:s3:::b", true},
		{"in a number: never", "2012-10-17", "*", `"NumericEquals":{"aws:epochtime":"${aws:epochtime}"}`, "arn:aws:s3:::b", false},
	} {
		text, _ := json.Marshal(c.resource)
		d := mustParse(t, Identity, fmt.Sprintf(`{"Version":%q,"Statement":[{"Effect":"Allow","Action":"*","Resource":%s,"Condition":{%s}}]}`, c.version, text, c.more))
		got := Evaluate(Request{Action: "s3:GetObject", Resource: c.request, Principal: reader, Context: context}, Policies{Identity: []*Document{d}})
		if got.Allowed != c.want {
			t.Errorf("%s: %s %s %s on %s: %v, want %v", c.name, c.version, c.resource, c.more, c.request, got.Allowed, c.want)
		}
	}
}

func TestResourcesMatchPartByPart(t *testing.T) {
	for _, c := range []struct {
		pattern, arn string
		want         bool
	}{
		{"*", "*", true},
		{"*", "arn:aws:s3:::b/k", true},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/k/l:m", true},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b", false},
		{"arn:aws:s3:::b", "arn:aws:s3:::B", false},
		{"arn:aws:ec2:*:*:vpc/*", "arn:aws:ec2:us-west-2:000000000000:vpc/vpc-1", true},
		{"arn:aws:ec2:*:vpc/x", "arn:aws:ec2:us-west-2:000000000000:vpc/x", false},
		{"arn:aws:*:::b/*", "arn:aws:s3:::b/k", true},
		{"arn:*:s3:::b/*", "arn:aws:s3:::b/k", true},
		{"arn:aws:s3:::b/k?", "arn:aws:s3:::b/kä", true},
		{"arn:aws:ec2:us-*:000000000000:*", "*", false},
		{"arn:aws:logs:us-west-2:000000000000:log-group:/aws/lambda/*:*", "arn:aws:logs:us-west-2:000000000000:log-group:/aws/lambda/f:log-stream:s", true},
	} {
		p, ok := compileARN(c.pattern, syntax{variables: true})
		if got := ok && p.match(c.arn, &request{}); got != c.want {
			t.Errorf("%s on %s: %v, want %v", c.pattern, c.arn, got, c.want)
		}
	}
}
