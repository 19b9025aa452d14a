package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	oracle "github.com/versity/versitygw/iamapi/policy"
	"github.com/versity/versitygw/iamapi/types"
	"pgregory.net/rapid"
)

// statementJSON is a statement to be written down.
type statementJSON struct {
	Effect      string
	Principal   any                            `json:",omitempty"`
	Action      []string                       `json:",omitempty"`
	NotAction   []string                       `json:",omitempty"`
	Resource    []string                       `json:",omitempty"`
	NotResource []string                       `json:",omitempty"`
	Condition   map[string]map[string][]string `json:",omitempty"`
}

var (
	someActions   = []string{"*", "s3:*", "s3:Get*", "s3:GetObject", "S3:getobject", "s3:PutObject", "ec2:*", "s3:?etObject"}
	someResources = []string{"*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::c/*", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::?/k*"}
	someOperators = []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"StringEqualsIfExists", "StringNotLikeIfExists", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
		"NumericGreaterThan", "NumericGreaterThanEqualsIfExists", "DateLessThan", "DateGreaterThanEquals", "DateNotEquals", "Bool",
		"BoolIfExists", "IpAddress", "NotIpAddress", "IpAddressIfExists", "ArnLike", "ArnNotEquals", "BinaryEquals", "Null",
		"ForAllValues:StringEquals", "ForAllValues:StringNotLike", "ForAnyValue:StringLike", "ForAnyValue:StringEquals",
	}
	someKeys   = []string{"aws:SourceVpce", "AWS:username", "s3:max-keys"}
	someValues = []string{
		"ann", "Ann", "a*", "?nn", "", "true", "false", "5", "7.5", "2026-01-01T00:00:00Z", "1767225600", "10.0.0.0/8", "10.1.2.3",
		"arn:aws:iam::000000000000:role/a", "arn:aws:iam::*:role/*", "${aws:username}", "x${aws:nosuchkey}",
	}
	someARNs   = []string{"arn:aws:iam::000000000000:role/a", "arn:aws:iam::*:role/*", "arn:aws:iam::*:role/?", "arn:aws:s3:::${aws:username}"}
	someActual = []string{"ann", "Ann", "bob", "", "true", "5", "8", "2026-01-01T00:00:00Z", "10.1.2.3", "11.1.2.3", "arn:aws:iam::000000000000:role/a"}
)

// draw makes one statement, with a principal if withPrincipal.
func draw(t *rapid.T, withPrincipal bool) statementJSON {
	s := statementJSON{Effect: rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect")}
	list := func(from []string, label string) []string {
		return rapid.SliceOfN(rapid.SampledFrom(from), 1, 2).Draw(t, label)
	}
	if rapid.IntRange(0, 3).Draw(t, "not action") == 0 {
		s.NotAction = list(someActions, "actions")
	} else {
		s.Action = list(someActions, "actions")
	}
	if rapid.IntRange(0, 3).Draw(t, "not resource") == 0 {
		s.NotResource = list(someResources, "resources")
	} else {
		s.Resource = list(someResources, "resources")
	}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		if s.Condition == nil {
			s.Condition = map[string]map[string][]string{}
		}
		operator := rapid.SampledFrom(someOperators).Draw(t, "operator")
		values := someValues
		if strings.Contains(operator, "Arn") {
			values = someARNs
		}
		s.Condition[operator] = map[string][]string{rapid.SampledFrom(someKeys).Draw(t, "key"): list(values, "values")}
	}
	if withPrincipal {
		s.Principal = rapid.SampledFrom([]any{
			"*", map[string]string{"AWS": account}, map[string]string{"AWS": roleARN}, map[string]string{"AWS": session},
			map[string]string{"AWS": "111111111111"}, map[string]string{"Service": "lambda.amazonaws.com"},
		}).Draw(t, "principal")
	}
	return s
}

func drawRequest(t *rapid.T) Request {
	r := Request{
		Action:   rapid.SampledFrom([]string{"s3:GetObject", "s3:PutObject", "s3:ListBucket", "ec2:CreateVpc"}).Draw(t, "action"),
		Resource: rapid.SampledFrom([]string{"*", "arn:aws:s3:::b", "arn:aws:s3:::b/k", "arn:aws:s3:::b/ann", "arn:aws:s3:::c/k"}).Draw(t, "resource"),
		Context:  map[string][]string{},
	}
	r.Principal = rapid.SampledFrom([]Principal{reader, accountRoot, anonymous, stranger, {Service: "lambda.amazonaws.com"}}).Draw(t, "principal")
	for _, key := range []string{"aws:sourcevpce", "aws:username", "s3:max-keys"} {
		if rapid.Bool().Draw(t, key) {
			r.Context[key] = rapid.SliceOfN(rapid.SampledFrom(someActual), 1, 2).Draw(t, "values of "+key)
		}
	}
	return r
}

func drawDocument(t *rapid.T, kind Kind, statements ...statementJSON) *Document {
	withPrincipal := kind == Resource || kind == Endpoint || kind == ResourceControl
	for range rapid.IntRange(1-min(1, len(statements)), 3).Draw(t, "statements") {
		statements = append(statements, draw(t, withPrincipal))
	}
	return writeDocument(t, kind, statements)
}

func writeDocument(t interface{ Fatalf(string, ...any) }, kind Kind, statements []statementJSON) *Document {
	text, err := json.Marshal(map[string]any{"Version": version2012, "Statement": statements})
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	d, err := Parse(string(kind), kind, text)
	if err != nil {
		t.Fatalf("parse %s: %v (%s)", text, err, err.(*Error).Detail)
	}
	return d
}

func drawPolicies(t *rapid.T) Policies {
	p := Policies{ResourceAccount: account, ResourceDecides: rapid.Bool().Draw(t, "resource decides")}
	for range rapid.IntRange(0, 2).Draw(t, "identity policies") {
		p.Identity = append(p.Identity, drawDocument(t, Identity))
	}
	optional := func(kind Kind) *Document {
		if !rapid.Bool().Draw(t, "has "+string(kind)) {
			return nil
		}
		return drawDocument(t, kind)
	}
	p.Resource, p.Boundary, p.Session, p.Endpoint = optional(Resource), optional(Boundary), optional(Session), optional(Endpoint)
	for range rapid.IntRange(0, 2).Draw(t, "levels") {
		p.ResourceControl = append(p.ResourceControl, drawDocument(t, ResourceControl))
		p.ServiceControl = append(p.ServiceControl, drawDocument(t, ServiceControl))
	}
	return p
}

func TestAnyMatchingDenyDenies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Evaluate(drawRequest(t), drawPolicies(t))
		denied := slices.ContainsFunc(d.Trace, func(s Step) bool { return s.Matched && s.Effect == Deny })
		if denied && (d.Allowed || !d.Explicit) {
			t.Fatalf("a Deny matched, but the decision is %+v", d)
		}
		if !denied && d.Explicit {
			t.Fatalf("no Deny matched, but the decision is %+v", d)
		}
		if d.Allowed && d.Kind != "root" && !slices.ContainsFunc(d.Trace, func(s Step) bool {
			return s.Matched && s.Document == d.Document && s.Statement == d.Statement
		}) {
			t.Fatalf("allowed by a statement that did not match: %+v", d)
		}
	})
}

// with returns the policies with one more statement in a document that may hold it.
func with(t *rapid.T, p Policies, s statementJSON, kind Kind) Policies {
	if kind == Resource || kind == Endpoint || kind == ResourceControl {
		s.Principal = "*"
	}
	extra := writeDocument(t, kind, []statementJSON{s}).Statements
	grow := func(d *Document) *Document {
		c := *d
		c.Statements = append(slices.Clone(d.Statements), extra...)
		return &c
	}
	switch {
	case kind == Identity:
		p.Identity = append(slices.Clone(p.Identity), &Document{Name: "more", Kind: Identity, Statements: extra})
	case kind == Resource && p.Resource != nil:
		p.Resource = grow(p.Resource)
	case kind == Resource:
		p.Resource = &Document{Name: "more", Kind: Resource, Statements: extra}
	case kind == Boundary && p.Boundary != nil:
		p.Boundary = grow(p.Boundary)
	case kind == Session && p.Session != nil:
		p.Session = grow(p.Session)
	case kind == Endpoint && p.Endpoint != nil:
		p.Endpoint = grow(p.Endpoint)
	case kind == ServiceControl && p.ServiceControl != nil:
		p.ServiceControl = append([]*Document{grow(p.ServiceControl[0])}, p.ServiceControl[1:]...)
	case kind == ResourceControl && p.ResourceControl != nil:
		p.ResourceControl = append([]*Document{grow(p.ResourceControl[0])}, p.ResourceControl[1:]...)
	}
	return p
}

func TestMoreAllowsNeverDenyAndMoreDeniesNeverAllow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, p := drawRequest(t), drawPolicies(t)
		s := draw(t, false)
		kind := rapid.SampledFrom([]Kind{Identity, Resource, Boundary, Session, Endpoint, ServiceControl, ResourceControl}).Draw(t, "kind")
		before, after := Evaluate(r, p), Evaluate(r, with(t, p, s, kind))
		if s.Effect == "Allow" && before.Allowed && !after.Allowed {
			t.Fatalf("one more Allow (%s) turned %+v into %+v", kind, before, after)
		}
		if s.Effect == "Deny" && !before.Allowed && after.Allowed {
			t.Fatalf("one more Deny (%s) turned %+v into %+v", kind, before, after)
		}
		if s.Effect == "Allow" && before.Explicit && !after.Explicit {
			t.Fatalf("one more Allow (%s) took away an explicit deny", kind)
		}
	})
}

func TestALimitNeverGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, p := drawRequest(t), drawPolicies(t)
		limited := Evaluate(r, p)
		p.Boundary, p.Session, p.Endpoint, p.ServiceControl, p.ResourceControl = nil, nil, nil, nil, nil
		if limited.Allowed && !Evaluate(r, p).Allowed {
			t.Fatalf("allowed with boundary, session, endpoint or organization's policy only: %+v", limited)
		}
	})
}

// Of each kind of policy and each kind of outcome it is the same whichever statement comes first.
func TestTheOrderOfStatementsAndDocumentsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, p := drawRequest(t), drawPolicies(t)
		turned := p
		turned.Identity = reversed(p.Identity)
		turned.ServiceControl, turned.ResourceControl = reversed(p.ServiceControl), reversed(p.ResourceControl)
		for _, d := range []**Document{&turned.Resource, &turned.Boundary, &turned.Session, &turned.Endpoint} {
			if *d != nil {
				*d = reversed([]*Document{*d})[0]
			}
		}
		a, b := Evaluate(r, p), Evaluate(r, turned)
		if a.Allowed != b.Allowed || a.Explicit != b.Explicit || a.Kind != b.Kind {
			t.Fatalf("in order %+v, reversed %+v", a, b)
		}
	})
}

// reversed turns documents around, and what is in them.
func reversed(documents []*Document) []*Document {
	var out []*Document
	for _, d := range documents {
		c := *d
		c.Statements = slices.Clone(d.Statements)
		slices.Reverse(c.Statements)
		out = append(out, &c)
	}
	slices.Reverse(out)
	return out
}

// verdict is what one identity document says: -1 denies, 0 nothing, 1 allows.
func verdict(d Decision) int {
	switch {
	case d.Allowed:
		return 1
	case d.Explicit:
		return -1
	}
	return 0
}

// Another implementation of the same language must agree, statement by statement. Where the two are known to
// differ, ours follows the IAM guide and the generator stays away: ForAnyValue with a negated operator and an
// absent key (theirs matches, the guide says not), ARN conditions that are no ARN or whose wildcard would reach
// over a colon (theirs matches the whole text), variables in old versions' resources and characters outside ASCII.
func TestAgreesWithAnotherEvaluator(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, false)
		d := writeDocument(t, Identity, []statementJSON{s})
		text, err := json.Marshal(map[string]any{"Version": version2012, "Statement": []statementJSON{s}})
		if err != nil {
			t.Fatalf("marshal: %v", err)
		}
		for range 20 {
			r := drawRequest(t)
			r.Principal = reader
			ours := verdict(Evaluate(r, Policies{Identity: []*Document{d}}))
			if theirs := askOracle(string(text), r); ours != theirs {
				t.Fatalf("ours %d, theirs %d\n%s\n%+v", ours, theirs, text, r)
			}
		}
	})
}

func askOracle(document string, r Request) int {
	switch oracle.EvaluateIdentityPolicies(
		[]types.PolicyEntry{{PolicyName: "p", PolicyDocument: document}},
		oracle.RequestContext{Action: r.Action, Resource: r.Resource, Condition: r.Context},
	) {
	case oracle.DecisionDeny:
		return -1
	case oracle.DecisionAllow:
		return 1
	}
	return 0
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"}]}`,
		`{"Statement":{"Sid":"x","Effect":"Deny","Principal":{"AWS":["*","000000000000"]},"NotAction":["*"],"NotResource":"*","Condition":{"ForAnyValue:StringLikeIfExists":{"a:b":["c",1,true]}}}}`,
		`{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"${x,'y'}:aws:::${*}:"}]}`,
	} {
		f.Add([]byte(text))
	}
	requests := []Request{
		{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Principal: reader, Context: map[string][]string{"aws:username": {"*"}}},
		{Action: "sts:AssumeRole", Resource: "*", Principal: anonymous},
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, kind := range []Kind{Identity, Trust, Resource, GatewayEndpoint} {
			d, err := Parse("p", kind, text)
			if (d == nil) == (err == nil) {
				t.Fatalf("document %v and error %v", d, err)
			}
			if err != nil {
				continue
			}
			d.Public()
			checkPrint(t, d)
			for _, r := range requests {
				decision := Evaluate(r, Policies{Identity: []*Document{d}, Resource: d, Endpoint: d})
				if decision.Allowed && !slices.ContainsFunc(decision.Trace, func(s Step) bool { return s.Matched && s.Effect == Allow }) {
					t.Fatalf("allowed without an Allow: %+v", decision)
				}
			}
		}
	})
}

// fifty is an identity policy of fifty statements of which the last allows, with all that a statement can have.
func fifty(t testing.TB) *Document {
	var statements []statementJSON
	for i := range 50 {
		statements = append(statements, statementJSON{
			Effect: "Allow", Action: []string{"s3:Get*", "s3:ListBucket", fmt.Sprintf("ec2:Describe%d*", i)},
			Resource:  []string{fmt.Sprintf("arn:aws:s3:::bucket-%d/*", i), "arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/k"},
			Condition: map[string]map[string][]string{"StringLike": {"aws:PrincipalTag/team": {fmt.Sprintf("team-%d-*", i)}}, "IpAddress": {"aws:VpcSourceIp": {"10.0.0.0/8", "192.168.0.0/16"}}},
		})
	}
	return writeDocument(t, Identity, statements)
}

// BenchmarkFiftyStatements is the bound of what a decision may cost: 20 µs.
func BenchmarkFiftyStatements(b *testing.B) {
	p := Policies{
		Identity: []*Document{fifty(b)},
		Resource: single(b, Resource, Deny, `"Principal":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`),
		Endpoint: single(b, Endpoint, Allow, `"Principal":"*","Action":"*","Resource":"*"`),
	}
	r := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Principal: reader, Context: map[string][]string{
		"aws:sourcevpce": {"vpce-1"}, "aws:principaltag/team": {"team-49-x"}, "aws:vpcsourceip": {"10.1.2.3"}, "aws:username": {"ann"},
	}}
	b.ReportAllocs()
	for b.Loop() {
		if !Evaluate(r, p).Allowed {
			b.Fatal("denied")
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	identity := mustParse(b, Identity, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"},
		{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}]}`)
	resource := single(b, Resource, Deny, `"Principal":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`)
	endpoint := single(b, Endpoint, Allow, `"Principal":"*","Action":"*","Resource":"*"`)
	p := Policies{Identity: []*Document{identity}, Resource: resource, Endpoint: endpoint}
	r := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Principal: reader, Context: map[string][]string{"aws:sourcevpce": {"vpce-1"}}}
	b.ReportAllocs()
	for b.Loop() {
		if !Evaluate(r, p).Allowed {
			b.Fatal("denied")
		}
	}
}
