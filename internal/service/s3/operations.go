package s3

import (
	"net/http"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
)

// operation is one S3 operation.
type operation struct {
	name string
	// action is the IAM action on the bucket or object; empty: run authorises by itself.
	action string
	// versionAction is the action if the request names a version.
	versionAction string
	makesBucket   bool // the bucket need not exist
	check         func(*request) error
	run           func(http.ResponseWriter, *request) error
}

// route is how a request says which operation it means. The subresource is the parameter that S3 selects by
// (?tagging); "copy" stands for a copy source in the header.
type route struct {
	method      string
	level       level
	subresource string
}

func (s *Service) add(method string, l level, subresource string, o operation) {
	s.routes[route{method, l, subresource}] = &o
}

func (s *Service) addServiceOperations() {
	s.add("GET", levelService, "", operation{name: "ListBuckets", action: "s3:ListAllMyBuckets", run: s.listBuckets})
	s.add("GET", levelControl, "", operation{name: "ListTagsForResource", run: s.listTagsForResource})
	s.add("POST", levelControl, "", operation{name: "TagResource", run: s.tagResource})
	s.add("DELETE", levelControl, "", operation{name: "UntagResource", run: s.untagResource})
}

func (s *Service) addBucketOperations() {
	l := levelBucket
	s.add("PUT", l, "", operation{name: "CreateBucket", action: "s3:CreateBucket", makesBucket: true, check: checkNewBucket, run: s.createBucket})
	s.add("HEAD", l, "", operation{name: "HeadBucket", action: "s3:ListBucket", run: s.headBucket})
	s.add("DELETE", l, "", operation{name: "DeleteBucket", action: "s3:DeleteBucket", run: s.deleteBucket})
	s.add("GET", l, "", operation{name: "ListObjects", action: "s3:ListBucket", check: checkListing, run: s.list})
	s.add("GET", l, "list-type", operation{name: "ListObjectsV2", action: "s3:ListBucket", check: checkListing, run: s.list})
	s.add("GET", l, "versions", operation{name: "ListObjectVersions", action: "s3:ListBucketVersions", check: checkListing, run: s.list})
	s.add("GET", l, "uploads", operation{name: "ListMultipartUploads", action: "s3:ListBucketMultipartUploads", check: checkListing, run: s.list})
	s.add("GET", l, "location", operation{name: "GetBucketLocation", action: "s3:GetBucketLocation", run: s.getLocation})
	s.add("POST", l, "delete", operation{name: "DeleteObjects", run: s.deleteObjects})
	s.add("OPTIONS", l, "", operation{name: "Preflight", run: preflight("BUCKET")})
}

func (s *Service) addObjectOperations() {
	l := levelObject
	s.add("GET", l, "", operation{name: "GetObject", action: "s3:GetObject", versionAction: "s3:GetObjectVersion", run: s.proxy})
	s.add("HEAD", l, "", operation{name: "HeadObject", action: "s3:GetObject", versionAction: "s3:GetObjectVersion", run: s.proxy})
	s.add("GET", l, "attributes", operation{name: "GetObjectAttributes", action: "s3:GetObject", versionAction: "s3:GetObjectVersion", run: s.getAttributes})
	s.add("PUT", l, "", operation{name: "PutObject", action: "s3:PutObject", check: checkNewObject, run: s.putObject})
	s.add("PUT", l, "copy", operation{name: "CopyObject", action: "s3:PutObject", check: checkNewObject, run: s.copyObject})
	s.add("DELETE", l, "", operation{name: "DeleteObject", action: "s3:DeleteObject", versionAction: "s3:DeleteObjectVersion", check: checkDelete, run: s.deleteObject})

	s.add("POST", l, "uploads", operation{name: "CreateMultipartUpload", action: "s3:PutObject", check: checkNewObject, run: s.putObject})
	s.add("PUT", l, "uploadId", operation{name: "UploadPart", action: "s3:PutObject", check: checkNewObject, run: s.proxy})
	s.add("PUT", l, "uploadId+copy", operation{name: "UploadPartCopy", action: "s3:PutObject", check: checkNewObject, run: s.copyObject})
	s.add("POST", l, "uploadId", operation{name: "CompleteMultipartUpload", action: "s3:PutObject", check: checkNewObject, run: s.proxy})
	s.add("GET", l, "uploadId", operation{name: "ListParts", action: "s3:ListMultipartUploadParts", run: s.proxy})
	s.add("DELETE", l, "uploadId", operation{name: "AbortMultipartUpload", action: "s3:AbortMultipartUpload", run: s.proxy})

	s.add("GET", l, "tagging", operation{name: "GetObjectTagging", action: "s3:GetObjectTagging", versionAction: "s3:GetObjectVersionTagging", run: s.proxy})
	s.add("PUT", l, "tagging", operation{name: "PutObjectTagging", run: s.putObjectTagging})
	s.add("DELETE", l, "tagging", operation{name: "DeleteObjectTagging", action: "s3:DeleteObjectTagging", versionAction: "s3:DeleteObjectVersionTagging", run: s.proxy})
	s.add("GET", l, "acl", operation{name: "GetObjectAcl", action: "s3:GetObjectAcl", versionAction: "s3:GetObjectVersionAcl", run: s.getObjectACL})
	s.add("PUT", l, "acl", operation{name: "PutObjectAcl", action: "s3:PutObjectAcl", versionAction: "s3:PutObjectVersionAcl", run: s.putObjectACL})
	s.add("OPTIONS", l, "", operation{name: "Preflight", run: preflight("OBJECT")})
}

// subresources are all of S3's, also those that are not implemented: PUT ?analytics must not be taken for
// CreateBucket.
var subresources = []string{
	"abac", "accelerate", "acl", "analytics", "annotation", "append", "attributes", "cors", "delete", "encryption",
	"intelligent-tiering", "inventory", "legal-hold", "lifecycle", "list-type", "location", "logging",
	"metadataConfiguration", "metadataInventoryTable", "metadataJournalTable", "metadataTable", "metrics",
	"notification", "object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock", "renameObject",
	"replication", "requestPayment", "restore", "retention", "select", "session", "tagging", "torrent", "uploadId",
	"uploads", "versioning", "versions", "website",
}

// findOperation decides which operation the request means.
func (s *Service) findOperation(r *request) error {
	var found []string
	for _, name := range subresources {
		if r.query.Has(name) {
			found = append(found, name)
		}
	}
	if r.level == levelControl {
		found = nil
	}
	if len(found) > 1 {
		return api.Errorf("InvalidArgument", "Conflicting query string parameters: %s", strings.Join(found, ", ")).
			With("ArgumentName", "ResourceType").With("ArgumentValue", found[0])
	}
	subresource := strings.Join(found, "")
	if r.method == "PUT" && r.level == levelObject && r.header.Get(copySource) != "" {
		subresource = strings.TrimPrefix(subresource+"+copy", "+")
	}
	o, ok := s.routes[route{r.method, r.level, subresource}]
	if !ok {
		r.call.Operation = r.method
		return s.noOperation(r, subresource)
	}
	r.op = o
	return nil
}

// noOperation says whether another method would have done.
func (s *Service) noOperation(r *request, subresource string) error {
	for _, method := range []string{"GET", "HEAD", "PUT", "POST", "DELETE"} {
		if _, ok := s.routes[route{method, r.level, subresource}]; ok && subresource != "" && r.method != "PUT" {
			return methodNotAllowed(r.method)
		}
	}
	if !slices.Contains([]string{"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"}, r.method) {
		return methodNotAllowed(r.method)
	}
	what := r.method
	if subresource != "" {
		what += " ?" + subresource
	}
	return notImplemented("This operation is not implemented: " + what + ".")
}

// preflight answers a browser that asks whether another site may call: no bucket has CORS rules here.
func preflight(kind string) func(http.ResponseWriter, *request) error {
	return func(_ http.ResponseWriter, r *request) error {
		e := &api.Error{Code: "AccessForbidden", Message: "CORSResponse: CORS is not enabled for this bucket.", Status: http.StatusForbidden}
		return e.With("Method", r.header.Get("Access-Control-Request-Method")).With("ResourceType", kind)
	}
}
