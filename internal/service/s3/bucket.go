package s3

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const timeFormat = "2006-01-02T15:04:05.000Z"

type owner struct {
	ID string
}

type bucketsXML struct {
	XMLName           xml.Name    `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner             owner       `xml:"Owner"`
	Buckets           []bucketXML `xml:"Buckets>Bucket"`
	ContinuationToken string      `xml:",omitempty"`
	Prefix            string      `xml:",omitempty"`
}

type bucketXML struct {
	Name, CreationDate, BucketRegion, BucketArn string
}

func (s *Service) listBuckets(w http.ResponseWriter, r *request) error {
	most := 10000
	if text := r.query.Get("max-buckets"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10000 {
			return invalidArgument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", text)
		}
		most = n
	}
	after, err := base64.RawURLEncoding.DecodeString(r.query.Get("continuation-token"))
	if err != nil {
		return invalidArgument("The continuation token provided is incorrect", "continuation-token", r.query.Get("continuation-token"))
	}
	prefix := r.query.Get("prefix")
	out := bucketsXML{Owner: owner{CanonicalUserID(r.view.Account())}, Prefix: prefix}
	region := r.query.Get("bucket-region")
	for _, b := range state.List[*resource.Bucket](r.view) {
		if b.Name <= string(after) || !strings.HasPrefix(b.Name, prefix) || region != "" && region != r.view.Region() {
			continue
		}
		if len(out.Buckets) == most {
			out.ContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(out.Buckets[most-1].Name))
			break
		}
		out.Buckets = append(out.Buckets, bucketXML{b.Name, b.CreationDate.UTC().Format(timeFormat), r.view.Region(), bucketARN(b.Name)})
	}
	return writeXML(w, out)
}

func (s *Service) headBucket(w http.ResponseWriter, r *request) error {
	h := w.Header()
	h.Set("X-Amz-Bucket-Region", r.view.Region())
	h.Set("X-Amz-Bucket-Arn", bucketARN(r.bucket))
	h.Set("X-Amz-Access-Point-Alias", "false")
	h.Set("Content-Type", xmlType)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Service) getLocation(w http.ResponseWriter, r *request) error {
	region := r.view.Region()
	if region == "us-east-1" {
		return writeDocument(w, `<LocationConstraint xmlns="`+namespace+`"/>`)
	}
	return writeDocument(w, `<LocationConstraint xmlns="`+namespace+`">`+region+`</LocationConstraint>`)
}

type createBucketXML struct {
	LocationConstraint string
	Location           *struct{} // directory buckets only
	Bucket             *struct{}
	Tags               []tagXML `xml:"Tags>Tag"`
}

// checkNewBucket checks name and headers of CreateBucket.
func checkNewBucket(r *request) error {
	if !validBucketName(r.bucket) {
		return invalidBucketName(r.bucket)
	}
	if strings.EqualFold(r.header.Get("X-Amz-Bucket-Object-Lock-Enabled"), "true") {
		return headerNotImplemented("X-Amz-Bucket-Object-Lock-Enabled")
	}
	ownership := r.header.Get("X-Amz-Object-Ownership")
	if ownership != "" && !isOwnership(ownership) {
		return invalidArgument("Invalid x-amz-object-ownership header: "+ownership, "x-amz-object-ownership", ownership)
	}
	if n := r.header.Get("X-Amz-Bucket-Namespace"); n != "" && n != "global" {
		return headerNotImplemented("X-Amz-Bucket-Namespace")
	}
	if acl := r.header.Get("X-Amz-Acl"); acl != "" && acl != "private" || hasGrants(r.header) {
		if ownership != "" && ownership != enforced {
			return api.Errorf("InvalidBucketAclWithBlockPublicAccessError", "Bucket cannot have public ACLs set with BlockPublicAccess enabled")
		}
		return api.Errorf("InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
	}
	return nil
}

func (s *Service) createBucket(w http.ResponseWriter, r *request) error {
	var in createBucketXML
	body, err := r.readBody()
	if err != nil {
		return err
	}
	if len(body) > 0 {
		if err := parseXML(body, "CreateBucketConfiguration", &in); err != nil {
			return err
		}
	}
	if in.Location != nil || in.Bucket != nil {
		return notImplemented("Directory buckets are not implemented.")
	}
	if err := checkLocation(in.LocationConstraint, r.view.Region()); err != nil {
		return err
	}
	tags, err := parseTags(in.Tags)
	if err != nil {
		return err
	}
	if len(tags) > 0 {
		if err := s.authorize(r, "s3:TagResource", bucketARN(r.bucket)); err != nil {
			return err
		}
	}
	if err := s.makeBucket(r, tags); err != nil {
		return err
	}
	location := "/" + r.bucket
	if in.LocationConstraint != "" {
		location = "http://" + r.bucket + ".s3.amazonaws.com/"
	}
	w.Header().Set("Location", location)
	w.Header().Set("X-Amz-Bucket-Arn", bucketARN(r.bucket))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}

// checkLocation checks the location constraint, which must name this region, and in us-east-1 must be absent.
func checkLocation(constraint, region string) error {
	if region == "us-east-1" && constraint == "us-east-1" {
		return api.Errorf("InvalidLocationConstraint", "The specified location-constraint is not valid").With("LocationConstraint", constraint)
	}
	if constraint == region || constraint == "" && region == "us-east-1" {
		return nil
	}
	if constraint == "" {
		constraint = "unspecified"
	}
	return api.Errorf("IllegalLocationConstraintException",
		"The %s location constraint is incompatible for the region specific endpoint this request was sent to.", constraint)
}

// makeBucket makes the bucket in the engine, then in the state: what is in the state is complete. A bucket that
// only the engine has is empty and nobody saw it, so finding one is fine.
func (s *Service) makeBucket(r *request, tags resource.Tags) error {
	if _, ok := state.Get[*resource.Bucket](r.view, r.bucket); ok {
		return existsAlready(r)
	}
	res, err := s.engine(r.call.HTTP.Context(), http.MethodPut, enginePath(r.bucket, ""), nil, http.Header{}, nil, 0)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		e, err := readError(http.MethodPut, res)
		if err != nil {
			return err
		}
		if e.Code != "BucketAlreadyOwnedByYou" {
			return fmt.Errorf("make bucket %s in object store: %w", r.bucket, errAsInternal{e})
		}
	}
	_, err = s.Store.Update(func(tx *state.Tx) error {
		if _, ok := state.Get[*resource.Bucket](tx, r.bucket); ok {
			return existsAlready(r)
		}
		tx.Put(&resource.Bucket{Name: r.bucket, CreationDate: tx.Now().Truncate(time.Second), Tags: tags, Subresources: newBucketConfiguration(r.header.Get("X-Amz-Object-Ownership"))})
		return nil
	})
	return err
}

// existsAlready is nil in us-east-1, where making one's own bucket again is fine.
func existsAlready(r *request) error {
	if r.view.Region() == "us-east-1" {
		return nil
	}
	e := &api.Error{
		Code: "BucketAlreadyOwnedByYou", Status: http.StatusConflict,
		Message: "Your previous request to create the named bucket succeeded and you already own it.",
	}
	return e.With("BucketName", r.bucket)
}

// deleteBucket deletes the bucket in the engine first, which refuses if anything is in it. A call that fails
// between the two steps can be repeated.
func (s *Service) deleteBucket(w http.ResponseWriter, r *request) error {
	res, err := s.engine(r.call.HTTP.Context(), http.MethodDelete, enginePath(r.bucket, ""), nil, http.Header{}, nil, 0)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		e, err := readError(http.MethodDelete, res)
		if err != nil {
			return err
		}
		if e.Code == "BucketNotEmpty" {
			e = &api.Error{Code: e.Code, Message: "The bucket you tried to delete is not empty", Status: http.StatusConflict}
			return e.With("BucketName", r.bucket)
		}
		if e.Code != "NoSuchBucket" {
			return fmt.Errorf("delete bucket %s in object store: %w", r.bucket, errAsInternal{e})
		}
	}
	_, err = s.Store.Update(func(tx *state.Tx) error {
		tx.Delete(r.config)
		return nil
	})
	if err != nil {
		return err
	}
	return noContent(w)
}

// errAsInternal hides an error of the engine that is not the caller's.
type errAsInternal struct{ e *api.Error }

func (e errAsInternal) Error() string { return e.e.Error() }
