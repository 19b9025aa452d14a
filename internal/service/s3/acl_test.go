package s3_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/service/s3"
)

func ownership(value string) string {
	return "<OwnershipControls><Rule><ObjectOwnership>" + value + "</ObjectOwnership></Rule></OwnershipControls>"
}

func acl(grantee, permission string) string {
	return fmt.Sprintf(`<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>%s</ID></Owner><AccessControlList><Grant>`+
		`<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x">%s</Grantee><Permission>%s</Permission></Grant></AccessControlList></AccessControlPolicy>`,
		s3.CanonicalUserID(account), grantee, permission)
}

func TestAnACLSaysThatTheOwnerMayDoEverythingOrIsRefused(t *testing.T) {
	r := newRegion(t)
	r.bucket("acls")
	if status, _, body := r.raw("PUT", "/acls/k", "x"); status != 200 {
		t.Fatal(body)
	}
	const everybody = "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>"
	own := "<ID>" + s3.CanonicalUserID(account) + "</ID>"
	for _, stage := range []struct {
		ownership, block string
		rows             [][4]string // path, x-amz-acl, body, what is answered
	}{
		{ownership: "BucketOwnerEnforced", rows: [][4]string{
			{"/acls?acl", "private", "", "AccessControlListNotSupported"},
			{"/acls?acl", "", acl(everybody, "READ"), "AccessControlListNotSupported"},
			{"/acls?acl", "bucket-owner-full-control", "", ""},
			{"/acls/k?acl", "public-read", "", "AccessControlListNotSupported"},
			{"/acls/k", "public-read", "x", "AccessControlListNotSupported"},
		}},
		{ownership: "BucketOwnerPreferred", rows: [][4]string{
			{"/acls?acl", "private", "", ""},
			{"/acls?acl", "", acl(own, "FULL_CONTROL"), ""},
			{"/acls?acl", "", acl(own, "READ"), "NotImplemented"},
			{"/acls?acl", "", acl(everybody, "READ"), "because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access"},
			{"/acls?acl", "public-read", "", "because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access"},
			{"/acls?acl", "log-delivery-write", "", "NotImplemented"},
			{"/acls?acl", "private", "<x/>", "UnexpectedContent"},
			{"/acls?acl", "", "", "MalformedXML"},
			{"/acls/k?acl", "private", "", ""},
			{"/acls/missing?acl", "private", "", "NoSuchKey"},
			{"/acls/k", "bucket-owner-full-control", "x", ""},
			{"/acls/k", "public-read-write", "x", "s3:PutObject on resource"},
		}},
		{ownership: "ObjectWriter", block: "<PublicAccessBlockConfiguration/>", rows: [][4]string{
			{"/acls?acl", "public-read", "", "NotImplemented"},
			{"/acls/k", "authenticated-read", "x", "NotImplemented"},
		}},
	} {
		if status, _, body := r.raw("PUT", "/acls?ownershipControls", ownership(stage.ownership)); status != 200 {
			t.Fatal(body)
		}
		if stage.block != "" {
			if status, _, body := r.raw("PUT", "/acls?publicAccessBlock", stage.block); status != 200 {
				t.Fatal(body)
			}
		}
		for _, row := range stage.rows {
			var header []string
			if row[1] != "" {
				header = []string{"X-Amz-Acl", row[1]}
			}
			status, _, body := r.raw("PUT", row[0], row[2], header...)
			if (status == 200) != (row[3] == "") || !strings.Contains(body, row[3]) {
				t.Errorf("%s: %s %q %s: got %d %s, want %q", stage.ownership, row[0], row[1], row[2], status, body, row[3])
			}
		}
		if _, _, body := r.raw("GET", "/acls?ownershipControls", ""); !strings.Contains(body, stage.ownership) {
			t.Errorf("got %s, want %s", body, stage.ownership)
		}
	}
}

func TestLifecycleRulesAreCheckedKeptAndAnswered(t *testing.T) {
	r := newRegion(t)
	r.bucket("rules")
	rule := func(inside string) string {
		return `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule>` + inside + "</Rule></LifecycleConfiguration>"
	}
	const good = "<ID>old</ID><Filter><Prefix>old/</Prefix></Filter><Status>Enabled</Status>"
	for inside, want := range map[string]string{
		good + "<Expiration><Days>30</Days></Expiration>":                   "",
		good + "<Expiration><Days>0</Days></Expiration>":                    "must be a positive integer",
		good + "<Expiration><Date>2026-01-01T00:00:00Z</Date></Expiration>": "",
		good + "<Expiration><Date>2026-01-01T01:00:00Z</Date></Expiration>": "must be at midnight GMT",
		good:                   "At least one action needs to be specified in a rule",
		good + "<Expiration/>": "MalformedXML",
		good + "<Transition><Days>0</Days><StorageClass>GLACIER</StorageClass></Transition>": "",
		good + "<Transition><Days>0</Days><StorageClass>ATTIC</StorageClass></Transition>":   "MalformedXML",
		"<ID>x</ID><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>":          "MalformedXML",
		"<Prefix/><Status>Perhaps</Status><Expiration><Days>1</Days></Expiration>":           "MalformedXML",
		good + "<Explosion><Days>1</Days></Explosion>":                                       "MalformedXML",
	} {
		status, _, body := r.raw("PUT", "/rules?lifecycle", rule(inside))
		if (status == 200) != (want == "") || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %s, want %q", inside, status, body, want)
		}
	}
	twice := `<LifecycleConfiguration>` + strings.Repeat("<Rule>"+good+"<Expiration><Days>1</Days></Expiration></Rule>", 2) + `</LifecycleConfiguration>`
	if _, _, body := r.raw("PUT", "/rules?lifecycle", twice); !strings.Contains(body, "Rule ID must be unique") {
		t.Errorf("two rules of one id: %s", body)
	}
	kept := "<Prefix></Prefix><Status>Disabled</Status><NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration>"
	if status, h, body := r.raw("PUT", "/rules?lifecycle", rule(kept), "X-Amz-Transition-Default-Minimum-Object-Size", "varies_by_storage_class"); status != 200 ||
		h.Get("X-Amz-Transition-Default-Minimum-Object-Size") != "varies_by_storage_class" {
		t.Errorf("got %d %v %s", status, h, body)
	}
	status, h, body := r.raw("GET", "/rules?lifecycle", "")
	if status != 200 || !strings.Contains(body, "<Rule><ID>rule-1</ID>"+kept+"</Rule>") || h.Get("X-Amz-Transition-Default-Minimum-Object-Size") != "varies_by_storage_class" {
		t.Errorf("got %d %v %s", status, h, body)
	}
	r.raw("DELETE", "/rules?lifecycle", "")
	if status, _, _ := r.raw("GET", "/rules?lifecycle", ""); status != 404 {
		t.Errorf("after deletion: %d", status)
	}
}

func TestCORSRulesAreCheckedKeptAndAnswered(t *testing.T) {
	r := newRegion(t)
	r.bucket("cors")
	rule := func(inside string) string {
		return "<CORSConfiguration><CORSRule>" + inside + "</CORSRule></CORSConfiguration>"
	}
	good := "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://*.example.com</AllowedOrigin><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>300</MaxAgeSeconds>"
	for inside, want := range map[string]string{
		good: "",
		"<AllowedMethod>PATCH</AllowedMethod><AllowedOrigin>*</AllowedOrigin>": "Unsupported method is PATCH",
		"<AllowedMethod>GET</AllowedMethod>":                                   "MalformedXML",
		"<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*.*</AllowedOrigin>": "can not have more than one wildcard",
	} {
		status, _, body := r.raw("PUT", "/cors?cors", rule(inside))
		if (status == 200) != (want == "") || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %s, want %q", inside, status, body, want)
		}
	}
	r.raw("PUT", "/cors?cors", rule(good))
	if status, _, body := r.raw("GET", "/cors?cors", ""); status != 200 || !strings.Contains(body, "<CORSRule>"+good+"</CORSRule>") {
		t.Errorf("got %d %s", status, body)
	}
}
