package policy

import (
	"errors"
	"strings"
	"testing"
)

func TestParseRefusesWithAWSsText(t *testing.T) {
	deep := strings.Repeat("[", 2000) + strings.Repeat("]", 2000)
	for _, c := range []struct {
		name string
		kind Kind
		text string
		want string
	}{
		{"not JSON", Identity, `{"Version"`, "Syntax errors in policy."},
		{"not JSON", Trust, `{"Version"`, "This policy contains invalid Json"},
		{"not JSON", Resource, `Version`, "Policies must be valid JSON and the first byte must be '{'"},
		{"a list", Identity, `[]`, "Syntax errors in policy."},
		{"text behind the end", Identity, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}} x`, "Syntax errors in policy."},
		{"deep nesting", Trust, deep, "This policy contains invalid Json"},
		{"duplicate member", Identity, `{"Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}`, "Syntax errors in policy."},
		{"duplicate condition key", Identity,
			`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"a:b":"1","a:b":"2"}}}]}`, "Syntax errors in policy."},
		{"unknown version", Identity, `{"Version":"2012-10-18","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, "Syntax errors in policy."},
		{"unknown version", Trust, `{"Version":"x","Statement":[]}`, "The policy must contain a valid version string"},
		{"no statement", Identity, `{"Version":"2012-10-17"}`, "Syntax errors in policy."},
		{"no statement", Trust, `{"Version":"2012-10-17","Statement":[]}`, "Could not parse the policy: Statement is empty!"},
		{"no statement", Resource, `{"Version":"2012-10-17"}`, "Missing required field Statement"},
		{"element in wrong case", Identity, `{"Statement":[{"effect":"Allow","Action":"*","Resource":"*"}]}`, "Syntax errors in policy."},
		{"effect in wrong case", Identity, `{"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}`, "Syntax errors in policy."},
		{"no effect", Trust, `{"Statement":[{"Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}`, "Missing required field Effect"},
		{"no action", Identity, `{"Statement":[{"Effect":"Allow","Resource":"*"}]}`, "Policy statement must contain actions."},
		{"empty action", Identity, `{"Statement":[{"Effect":"Allow","Action":[],"Resource":"*"}]}`, "Policy statement must contain actions."},
		{"action and not action", Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*"}]}`, "Syntax errors in policy."},
		{"action without vendor", Identity, `{"Statement":[{"Effect":"Allow","Action":"GetObject","Resource":"*"}]}`,
			"Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{"bad vendor", Identity, `{"Statement":[{"Effect":"Allow","Action":"s 3:GetObject","Resource":"*"}]}`, "Vendor s 3 is not valid"},
		{"no resource", Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:*"}]}`, "Policy statement must contain resources."},
		{"resource no ARN", Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}]}`,
			`Resource bucket must be in ARN format or "*".`},
		{"short ARN", Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3"}]}`, "The policy failed legacy parsing"},
		{"other partition", Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws-cn:s3:::b"}]}`,
			`Partition "aws-cn" is not valid for resource "arn:aws-cn:s3:::b".`},
		{"principal", Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}]}`,
			"Policy document should not specify a principal."},
		{"sid with a dash", Identity, `{"Statement":[{"Sid":"a-b","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`,
			"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"},
		{"sid twice", Identity, `{"Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`,
			"Statement IDs (SID) in a single policy must be unique."},
		{"unknown operator", Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEqual":{"a:b":"c"}}}]}`, "Syntax errors in policy."},
		{"NullIfExists", Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NullIfExists":{"a:b":"true"}}}]}`, "Syntax errors in policy."},
		{"null condition value", Identity, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"a:b":null}}}]}`, "Syntax errors in policy."},
		{"no principal", Trust, `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}`, "Missing required field Principal"},
		{"no principal", Resource, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, "Missing required field Principal"},
		{"not principal", Trust, `{"Statement":[{"Effect":"Deny","Action":"sts:AssumeRole","NotPrincipal":{"AWS":"*"}}]}`,
			"AssumeRole policy must not contain NotPrincipal field."},
		{"allow with not principal", Trust, `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","NotPrincipal":{"AWS":"*"}}]}`,
			"Allow with NotPrincipal is not allowed."},
		{"not resource", Trust, `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","NotResource":"*","Principal":{"AWS":"*"}}]}`,
			"AssumeRole policy must not contain resources."},
		{"empty principal", Trust, `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{}}]}`,
			"Missing required field Principal cannot be empty!"},
		{"wildcard in a principal", Trust, `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::000000000000:role/*"}}]}`,
			`Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/*"`},
		{"service that is none", Trust, `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda"}}]}`,
			`Invalid principal in policy: "SERVICE":"lambda"`},
		{"unknown kind of principal", Trust, `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Foo":"x"}}]}`,
			`Invalid principal in policy: "Foo"`},
		{"canonical user", Resource, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":{"CanonicalUser":"79a5"}}]}`, "Invalid principal in policy"},
		{"other action", Trust, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Principal":{"AWS":"*"}}]}`,
			"AssumeRole policy may only specify STS AssumeRole actions."},
		{"resource", Trust, `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Principal":{"AWS":"*"}}]}`, "Has prohibited field Resource"},
		{"bad resource", Resource, `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"b","Principal":"*"}]}`, "Policy has invalid resource"},
		{"bad action", Resource, `{"Statement":[{"Effect":"Allow","Action":"x","Resource":"*","Principal":"*"}]}`, "Policy has invalid action"},
		{"not UTF-8", Identity, "{\"Id\":\"\xff\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}", "Syntax errors in policy."},
	} {
		_, err := Parse("p", c.kind, []byte(c.text))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s (%s): parsed, want %q", c.name, c.kind, c.want)
			continue
		}
		if e.Message != c.want {
			t.Errorf("%s (%s): %q, want %q", c.name, c.kind, e.Message, c.want)
		}
		if e.Detail == "" {
			t.Errorf("%s (%s): no detail", c.name, c.kind)
		}
	}
}

func TestParseAcceptsWhatAWSDocuments(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		text string
	}{
		{Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`},
		{Identity, `{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"","Effect":"Allow","NotAction":["iam:*"],"NotResource":["arn:aws:s3:::b/${aws:userid}/*"],"Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"s3:max-keys":10},"DateGreaterThan":{"aws:CurrentTime":"2026-01-01"}}}]}`},
		{Trust, `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}],"Version":"2012-10-17"}`},
		{Trust, `{"Statement":[{"Action":["sts:AssumeRole","sts:TagSession"],"Effect":"Allow","Principal":{"AWS":["000000000000","arn:aws:iam::000000000000:root","arn:aws:iam::000000000000:role/a/b","arn:aws:sts::000000000000:assumed-role/b/s"],"Federated":"cognito-identity.amazonaws.com"}}]}`},
		{Resource, `{"Statement":[{"Sid":"Deny unless, through the endpoint","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}]}`},
		{Resource, `{"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"000000000000"},"Action":"s3:*","Resource":"arn:aws:s3:::b"}]}`},
		{Endpoint, `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`},
	} {
		if _, err := Parse("p", c.kind, []byte(c.text)); err != nil {
			t.Errorf("%s %s: %v (%s)", c.kind, c.text, err, err.(*Error).Detail)
		}
	}
}

func TestPublicPolicies(t *testing.T) {
	for _, c := range []struct {
		statement string
		want      bool
	}{
		{`"Effect":"Allow","Principal":"*"`, true},
		{`"Effect":"Allow","Principal":{"AWS":["000000000000","*"]}`, true},
		{`"Effect":"Deny","Principal":"*"`, false},
		{`"Effect":"Allow","Principal":{"AWS":"000000000000"}`, false},
		{`"Effect":"Allow","NotPrincipal":{"AWS":"000000000000"}`, true},
		{`"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}`, false},
		{`"Effect":"Allow","Principal":"*","Condition":{"StringLike":{"aws:SourceVpc":"vpc-*"}}`, true},
		{`"Effect":"Allow","Principal":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`, true},
		{`"Effect":"Allow","Principal":"*","Condition":{"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}`, true},
		{`"Effect":"Allow","Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, true},
		{`"Effect":"Allow","Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, false},
		{`"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:UserAgent":"x"}}`, true},
	} {
		d := mustParse(t, Resource, `{"Version":"2012-10-17","Statement":[{`+c.statement+`,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`)
		if got := d.Public(); got != c.want {
			t.Errorf("%s: public %v, want %v", c.statement, got, c.want)
		}
	}
}

func mustParse(t testing.TB, kind Kind, text string) *Document {
	t.Helper()
	d, err := Parse(string(kind), kind, []byte(text))
	if err != nil {
		t.Fatalf("parse %s: %v (%s)", text, err, err.(*Error).Detail)
	}
	return d
}
