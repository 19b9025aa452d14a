package policy

import "testing"

// The examples that AWS's guides give of how policies are evaluated, with the outcome that they say: each group names
// its page. Accounts, buckets and names are those of the guides.
func TestTheExamplesOfTheGuides(t *testing.T) {
	user := func(account, name string) Principal {
		return Principal{Account: account, ARN: "arn:aws:iam::" + account + ":user/" + name}
	}
	const home, other = "123456789012", "111111111111"
	identity := func(text string) []*Document { return []*Document{mustParse(t, Identity, text)} }
	resource := func(text string) *Document { return mustParse(t, Resource, text) }
	type ask struct {
		who        Principal
		action, on string
		keys       map[string][]string
		want       string // allowed, or the kind of policy that denies, with "explicit " before it if it does
	}
	for _, group := range []struct {
		page string
		p    Policies
		asks []ask
	}{
		{
			page: "Identity-based policies and resource-based policies: Zhang has no policy of her own, and full access to Resource Z",
			p: Policies{ResourceAccount: home, Resource: resource(`{"Version":"2012-10-17","Statement":[
				{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::123456789012:user/CarlosSalazar"},"Action":"s3:*","Resource":"arn:aws:s3:::resource-z"},
				{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ZhangWei"},"Action":"s3:*","Resource":"arn:aws:s3:::resource-z"}]}`)},
			asks: []ask{
				{user(home, "ZhangWei"), "s3:ListBucket", "arn:aws:s3:::resource-z", nil, "allowed"},
				{user(home, "CarlosSalazar"), "s3:ListBucket", "arn:aws:s3:::resource-z", nil, "explicit resource-based"},
				{user(home, "MaryMajor"), "s3:ListBucket", "arn:aws:s3:::resource-z", nil, "identity-based"},
			},
		}, {
			page: "Identity-based policies and resource-based policies: Mary's own policy is enough where the resource's says nothing against her",
			p: Policies{
				Identity:        identity(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:List*","s3:Get*","s3:Put*"],"Resource":"*"}]}`),
				ResourceAccount: home, Resource: resource(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/MaryMajor"},"Action":["s3:ListBucket","s3:GetObject"],"Resource":["arn:aws:s3:::resource-x","arn:aws:s3:::resource-x/*"]}]}`),
			},
			asks: []ask{
				{user(home, "MaryMajor"), "s3:GetObject", "arn:aws:s3:::resource-x/k", nil, "allowed"},
				{user(home, "MaryMajor"), "s3:PutObject", "arn:aws:s3:::resource-x/k", nil, "allowed"},
			},
		}, {
			page: "Permissions boundaries for IAM entities: Shirley's boundary has no iam:CreateUser",
			p: Policies{
				Identity: identity(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"}}`),
				Boundary: mustParse(t, Boundary, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","cloudwatch:*","ec2:*"],"Resource":"*"}]}`),
			},
			asks: []ask{
				{user(home, "ShirleyRodriguez"), "iam:CreateUser", "*", nil, "permissions boundary"},
				{user(home, "ShirleyRodriguez"), "ec2:RunInstances", "*", nil, "identity-based"},
			},
		}, {
			page: "Cross-account policy evaluation logic: Carlos of 111111111111 and the production bucket of 222222222222",
			p: Policies{
				ResourceAccount: "222222222222",
				Identity: identity(`{"Version":"2012-10-17","Statement":[
					{"Sid":"AllowS3ListRead","Effect":"Allow","Action":["s3:GetBucketLocation","s3:GetAccountPublicAccessBlock","s3:ListAccessPoints","s3:ListAllMyBuckets"],"Resource":"arn:aws:s3:::*"},
					{"Sid":"AllowS3ProductionObjectActions","Effect":"Allow","Action":"s3:*Object*","Resource":"arn:aws:s3:::amzn-s3-demo-bucket-production/*"},
					{"Sid":"DenyS3Logs","Effect":"Deny","Action":"s3:*","Resource":["arn:aws:s3:::*log*","arn:aws:s3:::*log*/*"]}]}`),
				Resource: resource(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject*","s3:PutObject*","s3:ReplicateObject","s3:RestoreObject"],
					"Principal":{"AWS":"arn:aws:iam::111111111111:user/CarlosSalazar"},"Resource":"arn:aws:s3:::amzn-s3-demo-bucket-production/*"}]}`),
			},
			asks: []ask{
				{user(other, "CarlosSalazar"), "s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket-production/k", nil, "allowed"},
				{user(other, "CarlosSalazar"), "s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket-production/logs", nil, "explicit identity-based"},
				{user(other, "CarlosSalazar"), "s3:DeleteObject", "arn:aws:s3:::amzn-s3-demo-bucket-production/k", nil, "resource-based"},
				{user(other, "CarlosSalazar"), "s3:ListBucket", "arn:aws:s3:::amzn-s3-demo-bucket-production", nil, "resource-based"},
				{user("222222222222", "Owner"), "s3:ListBucket", "arn:aws:s3:::amzn-s3-demo-bucket-production", nil, "identity-based"},
			},
		}, {
			page: "Service control policies: an SCP that denies a service denies it to the account's root too",
			p: Policies{
				ServiceControl: []*Document{mustParse(t, ServiceControl, `{"Version":"2012-10-17","Statement":[
					{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"DenyAccess","Effect":"Deny","Action":"ec2:*","Resource":"*"}]}`)},
				Identity: identity(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`),
			},
			asks: []ask{
				{user(home, "a"), "ec2:RunInstances", "*", nil, "explicit service control"},
				{Principal{Account: home, ARN: "arn:aws:iam::123456789012:root", Root: true}, "ec2:RunInstances", "*", nil, "explicit service control"},
				{Principal{Account: home, RoleARN: "arn:aws:iam::123456789012:role/aws-service-role/spot.amazonaws.com/x"}, "ec2:RunInstances", "*", nil, "allowed"},
				{user(home, "a"), "s3:ListAllMyBuckets", "*", nil, "allowed"},
			},
		}, {
			page: "Service control policies: what no level allows is not allowed, and an SCP gives nothing",
			p: Policies{ServiceControl: []*Document{
				mustParse(t, ServiceControl, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
				mustParse(t, ServiceControl, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:*","s3:*"],"Resource":"*"}]}`),
			}},
			asks: []ask{
				{user(home, "a"), "iam:CreateUser", "*", nil, "service control"},
				{user(home, "a"), "ec2:RunInstances", "*", nil, "identity-based"},
			},
		}, {
			page: "Resource control policies: only one's own organization and AWS's services",
			p: Policies{
				ResourceAccount: home,
				ResourceControl: []*Document{mustParse(t, ResourceControl, `{"Version":"2012-10-17","Statement":[
					{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
					{"Sid":"EnforceOrgIdentities","Effect":"Deny","Principal":"*","Action":["s3:*","sts:AssumeRole"],"Resource":"*",
					 "Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-mine"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}]}`)},
				Resource: resource(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`),
				Identity: identity(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`),
			},
			asks: []ask{
				{user(other, "x"), "s3:GetObject", "arn:aws:s3:::b/k", map[string][]string{"aws:principalorgid": {"o-theirs"}, "aws:principalisawsservice": {"false"}}, "explicit resource control"},
				{user(other, "x"), "s3:GetObject", "arn:aws:s3:::b/k", map[string][]string{"aws:principalorgid": {"o-mine"}, "aws:principalisawsservice": {"false"}}, "allowed"},
				{Principal{Service: "logs.amazonaws.com"}, "s3:PutObject", "arn:aws:s3:::b/k", map[string][]string{"aws:principalisawsservice": {"true"}}, "allowed"},
			},
		}, {
			page: "NotAction with Allow: everything of S3 but deleting buckets; NotAction with Deny: nothing but IAM without MFA",
			p: Policies{Identity: identity(`{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","NotAction":"s3:DeleteBucket","Resource":"arn:aws:s3:::*"},
				{"Sid":"DenyAllUsersNotUsingMFA","Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}`)},
			asks: []ask{
				{user(home, "a"), "s3:CreateBucket", "arn:aws:s3:::b", map[string][]string{"aws:multifactorauthpresent": {"true"}}, "allowed"},
				{user(home, "a"), "s3:DeleteBucket", "arn:aws:s3:::b", map[string][]string{"aws:multifactorauthpresent": {"true"}}, "identity-based"},
				{user(home, "a"), "s3:CreateBucket", "arn:aws:s3:::b", map[string][]string{"aws:multifactorauthpresent": {"false"}}, "explicit identity-based"},
				{user(home, "a"), "s3:CreateBucket", "arn:aws:s3:::b", nil, "explicit identity-based"},
				{user(home, "a"), "iam:GetUser", "*", nil, "identity-based"},
			},
		}, {
			page: "NotResource: everything is denied but one's own bucket",
			p: Policies{Identity: identity(`{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::HRBucket","arn:aws:s3:::HRBucket/*"]},
				{"Effect":"Deny","Action":"s3:*","NotResource":["arn:aws:s3:::HRBucket/Payroll","arn:aws:s3:::HRBucket/Payroll/*"]}]}`)},
			asks: []ask{
				{user(home, "a"), "s3:GetObject", "arn:aws:s3:::HRBucket/Payroll/may", nil, "allowed"},
				{user(home, "a"), "s3:GetObject", "arn:aws:s3:::HRBucket/other", nil, "explicit identity-based"},
			},
		}, {
			page: "Multivalued context keys: ForAllValues and ForAnyValue of tags",
			p: Policies{Identity: identity(`{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["environment","cost-center"]},"Null":{"aws:TagKeys":"false"}}},
				{"Effect":"Deny","Action":"ec2:DeleteTags","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["webserver"]}}},
				{"Effect":"Allow","Action":"ec2:DeleteTags","Resource":"*"}]}`)},
			asks: []ask{
				{user(home, "a"), "ec2:CreateTags", "*", map[string][]string{"aws:tagkeys": {"environment"}}, "allowed"},
				{user(home, "a"), "ec2:CreateTags", "*", map[string][]string{"aws:tagkeys": {"environment", "cost-center"}}, "allowed"},
				{user(home, "a"), "ec2:CreateTags", "*", map[string][]string{"aws:tagkeys": {"environment", "dept"}}, "identity-based"},
				{user(home, "a"), "ec2:CreateTags", "*", nil, "identity-based"},
				{user(home, "a"), "ec2:DeleteTags", "*", map[string][]string{"aws:tagkeys": {"environment", "webserver"}}, "explicit identity-based"},
				{user(home, "a"), "ec2:DeleteTags", "*", map[string][]string{"aws:tagkeys": {"environment"}}, "allowed"},
			},
		}, {
			page: "Condition operators: ...IfExists, where one resource of a call has no instance type",
			p: Policies{Identity: identity(`{"Version":"2012-10-17","Statement":{"Sid":"THISPOLICYWORKS","Effect":"Allow","Action":"ec2:*","Resource":"*",
				"Condition":{"StringLikeIfExists":{"ec2:InstanceType":["t1.*","t2.*","m3.*"]}}}}`)},
			asks: []ask{
				{user(home, "a"), "ec2:RunInstances", "arn:aws:ec2:us-west-2:123456789012:instance/*", map[string][]string{"ec2:instancetype": {"t2.micro"}}, "allowed"},
				{user(home, "a"), "ec2:RunInstances", "arn:aws:ec2:us-west-2:123456789012:instance/*", map[string][]string{"ec2:instancetype": {"p5.48xlarge"}}, "identity-based"},
				{user(home, "a"), "ec2:RunInstances", "arn:aws:ec2:us-west-2:123456789012:subnet/s", nil, "allowed"},
			},
		}, {
			page: "Policy variables: a home for each user, and a default for who has no team",
			p: Policies{Identity: identity(`{"Version":"2012-10-17","Statement":[
				{"Action":["s3:ListBucket"],"Effect":"Allow","Resource":["arn:aws:s3:::amzn-s3-demo-bucket"],"Condition":{"StringLike":{"s3:prefix":["${aws:username}/*"]}}},
				{"Action":["s3:GetObject","s3:PutObject"],"Effect":"Allow","Resource":["arn:aws:s3:::amzn-s3-demo-bucket/${aws:username}/*"]},
				{"Action":"s3:GetObject","Effect":"Allow","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/${aws:PrincipalTag/team, 'company-wide'}/*"}]}`)},
			asks: []ask{
				{user(home, "ann"), "s3:ListBucket", "arn:aws:s3:::amzn-s3-demo-bucket", map[string][]string{"aws:username": {"ann"}, "s3:prefix": {"ann/x"}}, "allowed"},
				{user(home, "ann"), "s3:ListBucket", "arn:aws:s3:::amzn-s3-demo-bucket", map[string][]string{"aws:username": {"ann"}, "s3:prefix": {"bob/x"}}, "identity-based"},
				{user(home, "ann"), "s3:PutObject", "arn:aws:s3:::amzn-s3-demo-bucket/ann/x", map[string][]string{"aws:username": {"ann"}}, "allowed"},
				{user(home, "ann"), "s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket/company-wide/x", map[string][]string{"aws:username": {"ann"}}, "allowed"},
				{user(home, "ann"), "s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket/yellow/x", map[string][]string{"aws:username": {"ann"}, "aws:principaltag/team": {"yellow"}}, "allowed"},
			},
		}, {
			page: "S3 guide, controlling access from VPC endpoints: only vpce-1a2b3c4d, and for the endpoint itself one bucket",
			p: Policies{
				Identity: identity(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`),
				Resource: resource(`{"Version":"2012-10-17","Id":"Policy1415115909152","Statement":[{"Sid":"Access-to-specific-VPCE-only","Principal":"*","Action":"s3:*","Effect":"Deny",
					"Resource":["arn:aws:s3:::awsexamplebucket1","arn:aws:s3:::awsexamplebucket1/*"],"Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}}}]}`),
				Endpoint: mustParse(t, GatewayEndpoint, `{"Version":"2012-10-17","Statement":[{"Sid":"Access-to-specific-bucket-only","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Effect":"Allow",
					"Resource":["arn:aws:s3:::awsexamplebucket1/*"]}]}`),
			},
			asks: []ask{
				{user(home, "a"), "s3:GetObject", "arn:aws:s3:::awsexamplebucket1/k", map[string][]string{"aws:sourcevpce": {"vpce-1a2b3c4d"}}, "allowed"},
				{user(home, "a"), "s3:GetObject", "arn:aws:s3:::awsexamplebucket1/k", map[string][]string{"aws:sourcevpce": {"vpce-5e6f7a8b"}}, "explicit resource-based"},
				{user(home, "a"), "s3:GetObject", "arn:aws:s3:::awsexamplebucket1/k", nil, "explicit resource-based"},
				{user(home, "a"), "s3:DeleteObject", "arn:aws:s3:::awsexamplebucket1/k", map[string][]string{"aws:sourcevpce": {"vpce-1a2b3c4d"}}, "VPC endpoint"},
				{user(home, "a"), "s3:GetObject", "arn:aws:s3:::another/k", map[string][]string{"aws:sourcevpce": {"vpce-1a2b3c4d"}}, "VPC endpoint"},
			},
		}, {
			page: "Condition operators: IP addresses, dates and binary values",
			p: Policies{Identity: identity(`{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Action":"iam:*AccessKey*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:DB8:1234:5678::/64"]},"DateLessThan":{"aws:CurrentTime":"2026-06-30T00:00:00Z"}}},
				{"Effect":"Allow","Action":"kms:Sign","Resource":"*","Condition":{"BinaryEquals":{"key":"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}}]}`)},
			asks: []ask{
				{user(home, "a"), "iam:CreateAccessKey", "*", map[string][]string{"aws:sourceip": {"203.0.113.9"}, "aws:currenttime": {"2026-06-01T00:00:00Z"}}, "allowed"},
				{user(home, "a"), "iam:CreateAccessKey", "*", map[string][]string{"aws:sourceip": {"2001:db8:1234:5678::1"}, "aws:currenttime": {"2026-06-01T00:00:00Z"}}, "allowed"},
				{user(home, "a"), "iam:CreateAccessKey", "*", map[string][]string{"aws:sourceip": {"198.51.100.1"}, "aws:currenttime": {"2026-06-01T00:00:00Z"}}, "identity-based"},
				{user(home, "a"), "iam:CreateAccessKey", "*", map[string][]string{"aws:sourceip": {"203.0.113.9"}, "aws:currenttime": {"2026-07-01T00:00:00Z"}}, "identity-based"},
				{user(home, "a"), "kms:Sign", "*", map[string][]string{"key": {"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}, "allowed"},
			},
		},
	} {
		for _, a := range group.asks {
			d := Evaluate(Request{Action: a.action, Resource: a.on, Principal: a.who, Context: a.keys}, group.p)
			got := d.Kind
			switch {
			case d.Allowed:
				got = "allowed"
			case d.Explicit:
				got = "explicit " + got
			}
			if got != a.want {
				t.Errorf("%s\n%s on %s by %s with %v: %s, want %s", group.page, a.action, a.on, a.who.ARN, a.keys, got, a.want)
			}
		}
	}
}
