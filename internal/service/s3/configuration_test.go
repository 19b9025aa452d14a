package s3_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestEverySubresourceOfANewBucket(t *testing.T) {
	r := newRegion(t)
	r.bucket("fresh")
	for _, row := range []struct {
		subresource string
		status      int
		contains    string
	}{
		{"location", 200, ">us-west-2</LocationConstraint>"},
		{"policy", 404, "<Code>NoSuchBucketPolicy</Code>"},
		{"policyStatus", 404, "<Code>NoSuchBucketPolicy</Code>"},
		{"acl", 200, "<Permission>FULL_CONTROL</Permission>"},
		{"cors", 404, "<Code>NoSuchCORSConfiguration</Code>"},
		{"website", 404, "<Code>NoSuchWebsiteConfiguration</Code>"},
		{"versioning", 200, "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></VersioningConfiguration>"},
		{"accelerate", 200, "<AccelerateConfiguration xmlns"},
		{"requestPayment", 200, "<Payer>BucketOwner</Payer>"},
		{"logging", 200, "<BucketLoggingStatus xmlns"},
		{"lifecycle", 404, "<Code>NoSuchLifecycleConfiguration</Code>"},
		{"replication", 404, "<Code>ReplicationConfigurationNotFoundError</Code>"},
		{"encryption", 200, "<SSEAlgorithm>AES256</SSEAlgorithm>"},
		{"object-lock", 404, "<Code>ObjectLockConfigurationNotFoundError</Code>"},
		{"tagging", 404, "<Code>NoSuchTagSet</Code>"},
		{"publicAccessBlock", 200, "<BlockPublicPolicy>true</BlockPublicPolicy>"},
		{"ownershipControls", 200, "<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>"},
		{"notification", 200, "<NotificationConfiguration xmlns"},
		{"analytics", 501, "<Code>NotImplemented</Code>"},
		{"inventory", 501, "<Code>NotImplemented</Code>"},
		{"policy&acl", 400, "<Code>InvalidArgument</Code>"},
		{"delete", 405, "<Code>MethodNotAllowed</Code>"},
	} {
		status, h, body := r.raw("GET", "/fresh?"+row.subresource, "")
		if status != row.status || !strings.Contains(body, row.contains) {
			t.Errorf("?%s: got %d %s, want %d %s", row.subresource, status, body, row.status, row.contains)
		}
		if h.Get("X-Amz-Request-Id") == "" || h.Get("X-Amz-Id-2") == "" || h.Get("Server") != "AmazonS3" || h.Get("Content-Type") != "application/xml" {
			t.Errorf("?%s: got headers %v", row.subresource, h)
		}
		if row.status >= 400 && !strings.Contains(body, "<RequestId>"+h.Get("X-Amz-Request-Id")+"</RequestId><HostId>") {
			t.Errorf("?%s: got %s, want the request id", row.subresource, body)
		}
	}
}

func TestConfigurationWithoutEffectIsRefused(t *testing.T) {
	r := newRegion(t)
	r.bucket("refusing")
	for _, row := range []struct {
		subresource, body string
		status            int
	}{
		{"cors", "<CORSConfiguration/>", 400},
		{"website", "<WebsiteConfiguration/>", 501},
		{"lifecycle", "<LifecycleConfiguration/>", 400},
		{"replication", "<ReplicationConfiguration/>", 501},
		{"object-lock", "<ObjectLockConfiguration/>", 501},
		{"logging", "<BucketLoggingStatus><LoggingEnabled/></BucketLoggingStatus>", 501},
		{"logging", "<BucketLoggingStatus/>", 200},
		{"notification", "<NotificationConfiguration><QueueConfiguration/></NotificationConfiguration>", 501},
		{"notification", "<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>", 200},
		{"accelerate", "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>", 501},
		{"accelerate", "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>", 200},
		{"requestPayment", "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>", 501},
		{"requestPayment", "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>", 200},
		{"encryption", encryption("aws:kms"), 501},
		{"encryption", encryption("AES256"), 200},
		{"encryption", "<ServerSideEncryptionConfiguration/>", 400},
		{"ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>Nobody</ObjectOwnership></Rule></OwnershipControls>", 400},
		{"ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>", 200},
		{"publicAccessBlock", "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>", 200},
		{"publicAccessBlock", "<PublicAccessBlockConfiguration><BlockPublicAcls>perhaps</BlockPublicAcls></PublicAccessBlockConfiguration>", 400},
		{"acl", "", 400},
		{"versioning", "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>", 501},
		{"versioning", "<VersioningConfiguration><Status>Maybe</Status></VersioningConfiguration>", 400},
		{"tagging", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet>", 400},
		{"tagging", "<Tagging/>", 400},
		{"tagging", "<Tagging><TagSet/></Tagging><more/>", 400},
		{"tagging", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><Tagging><TagSet><Tag><Key>&e;</Key><Value/></Tag></TagSet></Tagging>", 400},
	} {
		status, _, body := r.raw("PUT", "/refusing?"+row.subresource, row.body)
		if status != row.status {
			t.Errorf("?%s %s: got %d %s, want %d", row.subresource, row.body, status, body, row.status)
		}
	}
}

func TestAPublicAccessBlockIsAnsweredInFull(t *testing.T) {
	r := newRegion(t)
	r.bucket("block")
	if status, _, body := r.raw("PUT", "/block?publicAccessBlock", "<PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>"); status != 200 {
		t.Fatal(body)
	}
	want := "<BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets>"
	if _, _, body := r.raw("GET", "/block?publicAccessBlock", ""); !strings.Contains(body, want) {
		t.Errorf("got %s, want %s", body, want)
	}
}

func encryption(algorithm string) string {
	return "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>" + algorithm +
		"</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
}

func TestConfigurationCanBeDeleted(t *testing.T) {
	r := newRegion(t)
	r.bucket("deleting")
	for subresource, want := range map[string]int{
		"publicAccessBlock": 404, "ownershipControls": 404, "encryption": 200, "tagging": 404, "policy": 404, "cors": 404, "website": 404, "lifecycle": 404, "replication": 404,
	} {
		if status, _, body := r.raw("DELETE", "/deleting?"+subresource, ""); status != 204 {
			t.Errorf("delete ?%s: got %d %s", subresource, status, body)
		}
		if status, _, body := r.raw("GET", "/deleting?"+subresource, ""); status != want {
			t.Errorf("?%s after deletion: got %d %s, want %d", subresource, status, body, want)
		}
	}
}

func TestPoliciesThatAreNoBucketPolicies(t *testing.T) {
	r := newRegion(t)
	r.bucket("policies")
	statement := func(resource string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"` + resource + `"}]}`
	}
	for _, row := range []struct{ text, want string }{
		{statement("arn:aws:s3:::policies/*"), ""},
		{statement("arn:aws:s3:::policies"), ""},
		{statement("arn:aws:s3:::other/*"), "MalformedPolicy"},
		{statement("arn:aws:s3:::policies-not-mine/*"), "MalformedPolicy"},
		{"[]", "MalformedPolicy"},
		{" " + statement("arn:aws:s3:::policies"), "MalformedPolicy"},
		{"{", "MalformedPolicy"},
		{`{"Version":"2012-10-17"}`, "MalformedPolicy"},
		{strings.Replace(statement("arn:aws:s3:::policies"), "s3:*", "ec2:*", 1), "MalformedPolicy"},
		{strings.Replace(statement("arn:aws:s3:::policies"), `"Principal":"*",`, "", 1), "MalformedPolicy"},
		{statement("arn:aws:s3:::policies") + strings.Repeat(" ", 20<<10), "MalformedPolicy"},
	} {
		_, err := r.as("root").PutBucketPolicy(t.Context(), &client.PutBucketPolicyInput{Bucket: aws.String("policies"), Policy: &row.text})
		if code(err) != row.want {
			t.Errorf("%.100s: got %v, want %q", row.text, err, row.want)
		}
	}
	status, h, body := r.raw("GET", "/policies?policy", "")
	if status != 200 || body != statement("arn:aws:s3:::policies") || h.Get("Content-Type") != "application/json" {
		t.Errorf("got %d %s, want the last policy that was accepted", status, body)
	}
}

func TestHeadersOfObjectsWithoutEffectAreRefused(t *testing.T) {
	r := newRegion(t)
	r.bucket("headers")
	for _, row := range []struct {
		name, value string
		status      int
		code        string
	}{
		{"X-Amz-Acl", "public-read", 400, "AccessControlListNotSupported"},
		{"X-Amz-Acl", "bucket-owner-full-control", 200, ""},
		{"X-Amz-Grant-Read", "id=x", 400, "AccessControlListNotSupported"},
		{"X-Amz-Server-Side-Encryption", "aws:kms", 501, "NotImplemented"},
		{"X-Amz-Server-Side-Encryption", "AES256", 200, ""},
		{"X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256", 501, "NotImplemented"},
		{"X-Amz-Object-Lock-Mode", "GOVERNANCE", 400, "InvalidRequest"},
		{"X-Amz-Storage-Class", "GLACIER", 501, "NotImplemented"},
		{"X-Amz-Storage-Class", "STANDARD", 200, ""},
		{"X-Amz-Expected-Bucket-Owner", "999999999999", 403, "AccessDenied"},
		{"X-Amz-Expected-Bucket-Owner", account, 200, ""},
	} {
		status, _, body := r.raw("PUT", "/headers/k", "x", row.name, row.value)
		if status != row.status || !strings.Contains(body, row.code) {
			t.Errorf("%s: %s: got %d %s, want %d %s", row.name, row.value, status, body, row.status, row.code)
		}
	}
}

func TestMethodsAndObjectsThatAreNotServed(t *testing.T) {
	r := newRegion(t)
	r.bucket("methods")
	r.put("methods", "k", "x")
	for _, row := range []struct {
		method, target string
		status         int
	}{
		{"OPTIONS", "/methods/k", 403}, {"OPTIONS", "/methods", 403}, {"PATCH", "/methods/k", 405}, {"POST", "/methods", 501},
		{"POST", "/methods/k?restore", 501}, {"POST", "/methods/k?select&select-type=2", 501}, {"PUT", "/methods/k?retention", 501},
		{"PUT", "/methods/k?acl", 400}, {"GET", "/methods/k?acl", 200}, {"GET", "/methods/none?acl", 404}, {"GET", "/methods/k?torrent", 501},
		{"GET", "/methods?x-id=ListObjects", 200}, {"PUT", "/?policy", 501}, {"GET", "/methods/k?versions", 501},
	} {
		if status, _, body := r.raw(row.method, row.target, "", "Access-Control-Request-Method", http.MethodGet); status != row.status {
			t.Errorf("%s %s: got %d %s, want %d", row.method, row.target, status, body, row.status)
		}
	}
}
