package s3

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// configuration is a subresource of a bucket that is a document.
type configuration struct {
	subresource   string
	get, put, del string // operations; without del it cannot be deleted
	getAction     string
	putAction     string
	none          *api.Error // if there is none
	fallback      string     // document if there is none and none is nil; without its root's name space
	// accept checks a document that is put, and returns what to keep. Nil: all are refused.
	accept func(body []byte) (string, error)
}

func notFound(code, message string) *api.Error {
	return &api.Error{Code: code, Message: message, Status: http.StatusNotFound}
}

func configurations() []configuration {
	return append(refusedConfigurations(), keptConfigurations()...)
}

// refusedConfigurations are those that would have an effect in AWS and have none here. Where there is a document
// that says what a bucket is anyway, that one is accepted.
func refusedConfigurations() []configuration {
	return []configuration{
		{
			subresource: "website", get: "GetBucketWebsite", put: "PutBucketWebsite", del: "DeleteBucketWebsite",
			getAction: "s3:GetBucketWebsite", putAction: "s3:PutBucketWebsite",
			none: notFound("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
		}, {
			subresource: "replication", get: "GetBucketReplication", put: "PutBucketReplication", del: "DeleteBucketReplication",
			getAction: "s3:GetReplicationConfiguration", putAction: "s3:PutReplicationConfiguration",
			none: notFound("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
		}, {
			subresource: "object-lock", get: "GetObjectLockConfiguration", put: "PutObjectLockConfiguration",
			getAction: "s3:GetBucketObjectLockConfiguration", putAction: "s3:PutBucketObjectLockConfiguration",
			none: notFound("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"),
		}, {
			subresource: "logging", get: "GetBucketLogging", put: "PutBucketLogging",
			getAction: "s3:GetBucketLogging", putAction: "s3:PutBucketLogging",
			fallback: "<BucketLoggingStatus/>", accept: onlyEmpty("BucketLoggingStatus"),
		}, {
			subresource: "notification", get: "GetBucketNotificationConfiguration", put: "PutBucketNotificationConfiguration",
			getAction: "s3:GetBucketNotification", putAction: "s3:PutBucketNotification",
			fallback: "<NotificationConfiguration/>", accept: onlyEmpty("NotificationConfiguration"),
		}, {
			subresource: "accelerate", get: "GetBucketAccelerateConfiguration", put: "PutBucketAccelerateConfiguration",
			getAction: "s3:GetAccelerateConfiguration", putAction: "s3:PutAccelerateConfiguration",
			fallback: "<AccelerateConfiguration/>", accept: only("AccelerateConfiguration", "Status", "Suspended"),
		}, {
			subresource: "requestPayment", get: "GetBucketRequestPayment", put: "PutBucketRequestPayment",
			getAction: "s3:GetBucketRequestPayment", putAction: "s3:PutBucketRequestPayment",
			fallback: "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
			accept:   only("RequestPaymentConfiguration", "Payer", "BucketOwner"),
		},
	}
}

// keptConfigurations are those that are kept as they were put.
func keptConfigurations() []configuration {
	return []configuration{
		{
			subresource: "cors", get: "GetBucketCors", put: "PutBucketCors", del: "DeleteBucketCors",
			getAction: "s3:GetBucketCORS", putAction: "s3:PutBucketCORS",
			none: notFound("NoSuchCORSConfiguration", "The CORS configuration does not exist"), accept: acceptCORS,
		}, {
			subresource: "lifecycle", get: "GetBucketLifecycleConfiguration", put: "PutBucketLifecycleConfiguration", del: "DeleteBucketLifecycle",
			getAction: "s3:GetLifecycleConfiguration", putAction: "s3:PutLifecycleConfiguration",
			none: notFound("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"), accept: acceptLifecycle,
		}, {
			subresource: "encryption", get: "GetBucketEncryption", put: "PutBucketEncryption", del: "DeleteBucketEncryption",
			getAction: "s3:GetEncryptionConfiguration", putAction: "s3:PutEncryptionConfiguration",
			fallback: encryptionXML(false),
			accept:   acceptEncryption,
		}, {
			subresource: "ownershipControls", get: "GetBucketOwnershipControls", put: "PutBucketOwnershipControls", del: "DeleteBucketOwnershipControls",
			getAction: "s3:GetBucketOwnershipControls", putAction: "s3:PutBucketOwnershipControls",
			none:   notFound("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
			accept: acceptOwnership,
		}, {
			subresource: "publicAccessBlock", get: "GetPublicAccessBlock", put: "PutPublicAccessBlock", del: "DeletePublicAccessBlock",
			getAction: "s3:GetBucketPublicAccessBlock", putAction: "s3:PutBucketPublicAccessBlock",
			none:   notFound("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"),
			accept: acceptPublicAccessBlock,
		},
	}
}

// newBucketConfiguration is what a bucket has from the start since April 2023.
func newBucketConfiguration(ownership string) map[string]string {
	if ownership == "" {
		ownership = enforced
	}
	return map[string]string{
		"ownershipControls": ownershipXML(ownership),
		"publicAccessBlock": publicAccessBlock{true, true, true, true}.xml(),
	}
}

func (s *Service) addConfigurationOperations() {
	l := levelBucket
	for _, c := range configurations() {
		get, put := s.getConfiguration(c), s.putConfiguration(c)
		if c.subresource == "lifecycle" {
			get, put = s.getLifecycle(c), s.putLifecycle(c)
		}
		s.add("GET", l, c.subresource, operation{name: c.get, action: c.getAction, run: get})
		s.add("PUT", l, c.subresource, operation{name: c.put, action: c.putAction, run: put})
		if c.del != "" {
			// Deleting needs the permission to put; only the website has an action of its own.
			action := c.putAction
			if c.subresource == "website" {
				action = "s3:DeleteBucketWebsite"
			}
			s.add("DELETE", l, c.subresource, operation{name: c.del, action: action, run: s.deleteConfiguration(c)})
		}
	}
	s.add("GET", l, "policy", operation{name: "GetBucketPolicy", action: "s3:GetBucketPolicy", run: s.getPolicy})
	s.add("PUT", l, "policy", operation{name: "PutBucketPolicy", action: "s3:PutBucketPolicy", run: s.putPolicy})
	s.add("DELETE", l, "policy", operation{name: "DeleteBucketPolicy", action: "s3:DeleteBucketPolicy", run: s.deletePolicy})
	s.add("GET", l, "policyStatus", operation{name: "GetBucketPolicyStatus", action: "s3:GetBucketPolicyStatus", run: s.getPolicyStatus})
	s.add("GET", l, "tagging", operation{name: "GetBucketTagging", action: "s3:GetBucketTagging", run: s.getTagging})
	s.add("PUT", l, "tagging", operation{name: "PutBucketTagging", action: "s3:PutBucketTagging", run: s.putTagging})
	s.add("DELETE", l, "tagging", operation{name: "DeleteBucketTagging", action: "s3:PutBucketTagging", run: s.deleteTagging})
	s.add("GET", l, "versioning", operation{name: "GetBucketVersioning", action: "s3:GetBucketVersioning", run: s.getVersioning})
	s.add("PUT", l, "versioning", operation{name: "PutBucketVersioning", action: "s3:PutBucketVersioning", run: s.putVersioning})
	s.add("GET", l, "acl", operation{name: "GetBucketAcl", action: "s3:GetBucketAcl", run: s.getACL})
	s.add("PUT", l, "acl", operation{name: "PutBucketAcl", action: "s3:PutBucketAcl", run: s.putACL})
}

func (s *Service) getConfiguration(c configuration) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		document, ok := r.config.Subresources[c.subresource]
		if !ok && c.none != nil {
			return c.none.With("BucketName", r.bucket)
		}
		if !ok {
			document = c.fallback
		}
		return writeDocument(w, withNamespace(document))
	}
}

// withNamespace adds S3's name space to the root of one of our documents.
func withNamespace(document string) string {
	i := strings.IndexAny(document, "/>")
	return document[:i] + ` xmlns="` + namespace + `"` + document[i:]
}

func (s *Service) putConfiguration(c configuration) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		body, err := r.readBody()
		if err != nil {
			return err
		}
		if c.accept == nil {
			return notImplemented(c.put + " is not implemented: it would have no effect.")
		}
		document, err := c.accept(body)
		if err != nil {
			return err
		}
		err = s.change(r, func(b *resource.Bucket) { b.Subresources[c.subresource] = document })
		if err != nil {
			return err
		}
		w.WriteHeader(http.StatusOK)
		return nil
	}
}

func (s *Service) deleteConfiguration(c configuration) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		err := s.change(r, func(b *resource.Bucket) { delete(b.Subresources, c.subresource) })
		if err != nil {
			return err
		}
		return noContent(w)
	}
}

// change changes the bucket's configuration.
func (s *Service) change(r *request, f func(*resource.Bucket)) error {
	return s.tryChange(r, func(b *resource.Bucket) error {
		f(b)
		return nil
	})
}

// tryChange is change with a function that may refuse.
func (s *Service) tryChange(r *request, f func(*resource.Bucket) error) error {
	_, err := s.Store.Update(func(tx *state.Tx) error {
		old, err := lookUpBucket(tx, r.bucket)
		if err != nil {
			return err
		}
		b := *old
		b.Subresources = maps.Clone(old.Subresources)
		if b.Subresources == nil {
			b.Subresources = map[string]string{}
		}
		if err := f(&b); err != nil {
			return err
		}
		tx.Put(&b)
		return nil
	})
	return err
}

// node is an element.
type node struct {
	XMLName  xml.Name
	Children []node `xml:",any"`
	Text     string `xml:",chardata"`
}

func named(name string) xml.Name { return xml.Name{Local: name} }

func (n *node) write(b *strings.Builder) {
	fmt.Fprintf(b, "<%s>", n.XMLName.Local)
	for i := range n.Children {
		n.Children[i].write(b)
	}
	if len(n.Children) == 0 {
		_ = xml.EscapeText(b, []byte(n.Text)) // a Builder takes everything
	}
	fmt.Fprintf(b, "</%s>", n.XMLName.Local)
}

// String is the element without name spaces, attributes and comments.
func (n *node) String() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

// onlyEmpty accepts a document that switches something off.
func onlyEmpty(root string) func([]byte) (string, error) {
	return func(body []byte) (string, error) {
		var n node
		if err := parseXML(body, root, &n); err != nil {
			return "", err
		}
		if len(n.Children) > 0 {
			return "", notImplemented(n.Children[0].XMLName.Local + " is not implemented: it would have no effect.")
		}
		return n.String(), nil
	}
}

// only accepts a document with one element of one value.
func only(root, name, value string) func([]byte) (string, error) {
	return func(body []byte) (string, error) {
		var n node
		if err := parseXML(body, root, &n); err != nil {
			return "", err
		}
		if len(n.Children) != 1 || n.Children[0].XMLName.Local != name {
			return "", malformedXML()
		}
		if got := strings.TrimSpace(n.Children[0].Text); got != value {
			return "", notImplemented(name + " " + got + " is not implemented: it would have no effect.")
		}
		return n.String(), nil
	}
}

func acceptEncryption(body []byte) (string, error) {
	var in struct {
		Rule []struct {
			Default *struct {
				SSEAlgorithm   string
				KMSMasterKeyID string
			} `xml:"ApplyServerSideEncryptionByDefault"`
			BucketKeyEnabled bool
		}
	}
	if err := parseXML(body, "ServerSideEncryptionConfiguration", &in); err != nil {
		return "", err
	}
	if len(in.Rule) != 1 || in.Rule[0].Default == nil {
		return "", malformedXML()
	}
	if d := in.Rule[0].Default; d.SSEAlgorithm != "AES256" || d.KMSMasterKeyID != "" {
		return "", notImplemented("Only AES256 is implemented: there are no keys of AWS KMS.")
	}
	return encryptionXML(in.Rule[0].BucketKeyEnabled), nil
}

func encryptionXML(bucketKey bool) string {
	return fmt.Sprintf("<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"+
		"</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>%t</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>", bucketKey)
}
