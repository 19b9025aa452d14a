package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// There is one account, which owns all buckets and objects, and no ACL gives anything to anybody else. So all that an
// ACL can say is that the owner may do everything; what says more is refused.

// The values of a bucket's object ownership. With the first there are no ACLs at all.
const (
	enforced     = "BucketOwnerEnforced"
	preferred    = "BucketOwnerPreferred"
	objectWriter = "ObjectWriter"
)

// ownershipOf is who owns the objects of a bucket. Without controls it is as it was before there were any.
func ownershipOf(b *resource.Bucket) string {
	var in ownershipControls
	if text := b.Subresources["ownershipControls"]; text != "" && parseXML([]byte(text), "OwnershipControls", &in) == nil && len(in.Rule) == 1 {
		return in.Rule[0].ObjectOwnership
	}
	return objectWriter
}

type ownershipControls struct {
	Rule []struct{ ObjectOwnership string }
}

func acceptOwnership(body []byte) (string, error) {
	var in ownershipControls
	if err := parseXML(body, "OwnershipControls", &in); err != nil {
		return "", err
	}
	if len(in.Rule) != 1 || !isOwnership(in.Rule[0].ObjectOwnership) {
		return "", malformedXML()
	}
	return ownershipXML(in.Rule[0].ObjectOwnership), nil
}

func isOwnership(text string) bool {
	return slices.Contains([]string{enforced, preferred, objectWriter}, text)
}

func ownershipXML(ownership string) string {
	return fmt.Sprintf("<OwnershipControls><Rule><ObjectOwnership>%s</ObjectOwnership></Rule></OwnershipControls>", ownership)
}

func hasGrants(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "X-Amz-Grant-") {
			return true
		}
	}
	return false
}

func noACLs() error {
	return api.Errorf("AccessControlListNotSupported", "The bucket does not allow ACLs")
}

// aclXML is the only ACL there is: the owner may do everything.
type aclXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccessControlPolicy"`
	Owner   owner
	Grant   grantXML `xml:"AccessControlList>Grant"`
}

type grantXML struct {
	Grantee    granteeXML
	Permission string
}

type granteeXML struct {
	XSI  string `xml:"xmlns:xsi,attr"`
	Type string `xml:"xsi:type,attr"`
	ID   string
}

func (s *Service) getACL(w http.ResponseWriter, r *request) error {
	id := CanonicalUserID(r.view.Account())
	return writeXML(w, aclXML{
		Owner: owner{id},
		Grant: grantXML{granteeXML{"http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", id}, "FULL_CONTROL"},
	})
}

// checkACLHeaders refuses what a request asks for beside the owner's own permission.
func checkACLHeaders(r *request) error {
	acl := r.header.Get("X-Amz-Acl")
	if !hasGrants(r.header) && (acl == "" || acl == "bucket-owner-full-control" || acl == "private") {
		return nil
	}
	return refuseACL(r, strings.HasPrefix(acl, "public-") || acl == "authenticated-read")
}

// refuseACL says why an ACL cannot be: the bucket has none, or lets none be public, or nobody else could use it.
func refuseACL(r *request, public bool) error {
	switch {
	case ownershipOf(r.config) == enforced:
		return noACLs()
	case public && blockOf(r.config).BlockPublicAcls:
		e := accessDenied()
		if arn := r.call.Caller.ARN; arn != "" {
			e.Message = fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %q because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.",
				arn, r.action(), r.resource())
		}
		return e
	}
	return notImplemented("Only ACLs that give the owner full control are implemented: there is nobody else.")
}

// accessControl is an ACL as it is put.
type accessControl struct {
	Owner *owner
	Grant []struct {
		Grantee    struct{ ID, URI string }
		Permission string
	} `xml:"AccessControlList>Grant"`
}

// putACL accepts the ACL that there is, in any of the ways to say it.
func (s *Service) putACL(w http.ResponseWriter, r *request) error {
	body, err := r.readBody()
	if err != nil {
		return err
	}
	if err := checkACL(r, body); err != nil {
		return err
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}

func checkACL(r *request, body []byte) error {
	byHeader := r.header.Get("X-Amz-Acl") != "" || hasGrants(r.header)
	switch {
	case byHeader && len(body) > 0:
		return api.Errorf("UnexpectedContent", "This request does not support content")
	case byHeader && ownershipOf(r.config) == enforced && r.header.Get("X-Amz-Acl") != "bucket-owner-full-control":
		return noACLs()
	case byHeader:
		return checkACLHeaders(r)
	case len(body) == 0:
		if ownershipOf(r.config) == enforced {
			return noACLs()
		}
		return malformedXML()
	}
	var in accessControl
	if err := parseXML(body, "AccessControlPolicy", &in); err != nil {
		return err
	}
	own := CanonicalUserID(r.view.Account())
	if in.Owner == nil || in.Owner.ID != own {
		return accessDenied()
	}
	for _, g := range in.Grant {
		if g.Grantee.ID != own || g.Permission != "FULL_CONTROL" {
			return refuseACL(r, strings.HasPrefix(g.Grantee.URI, "http://acs.amazonaws.com/groups/global/"))
		}
	}
	if len(in.Grant) == 0 {
		return notImplemented("Only ACLs that give the owner full control are implemented.")
	}
	return nil
}

// putObjectACL is putACL for an object, which has to be there.
func (s *Service) putObjectACL(w http.ResponseWriter, r *request) error {
	if err := s.mustBeThere(r); err != nil {
		return err
	}
	return s.putACL(w, r)
}
