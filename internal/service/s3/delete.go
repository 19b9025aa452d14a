package s3

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
)

type deleteIn struct {
	Object []objectIdentifier
	Quiet  bool
}

type objectIdentifier struct {
	Key              string
	VersionId        string `xml:",omitempty"`
	ETag             string `xml:",omitempty"`
	LastModifiedTime string `xml:",omitempty"`
	Size             string `xml:",omitempty"`
}

type deleteOut struct {
	XMLName xml.Name           `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Delete"`
	Object  []objectIdentifier `xml:"Object"`
	Quiet   bool
}

type deleteResult struct {
	XMLName xml.Name        `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedObject `xml:"Deleted"`
	Error   []deleteError   `xml:"Error"`
}

type deletedObject struct {
	Key                   string
	VersionId             string `xml:",omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionId string `xml:",omitempty"`
}

type deleteError struct {
	Key       string
	VersionId string `xml:",omitempty"`
	Code      string
	Message   string
}

// deleteObjects asks for permission key by key: some may be deleted and others not, and the answer says which.
func (s *Service) deleteObjects(w http.ResponseWriter, r *request) error {
	if err := checkDelete(r); err != nil {
		return err
	}
	var in deleteIn
	if err := r.readXML("Delete", &in); err != nil {
		return err
	}
	if len(in.Object) == 0 || len(in.Object) > 1000 {
		return malformedXML()
	}
	allowed, refused, err := s.deletable(r, in.Object)
	if err != nil {
		return err
	}
	out := deleteResult{}
	if len(allowed) > 0 {
		if out, err = s.deleteAllowed(r, allowed); err != nil {
			return err
		}
	}
	if in.Quiet {
		out.Deleted = nil
	}
	out.Error = append(refused, out.Error...)
	return writeXML(w, out)
}

// deletable separates what the caller may delete from what not.
func (s *Service) deletable(r *request, objects []objectIdentifier) (allowed []objectIdentifier, refused []deleteError, err error) {
	for _, o := range objects {
		action := "s3:DeleteObject"
		if o.VersionId != "" {
			action = "s3:DeleteObjectVersion"
		}
		err := checkKey(o.Key)
		if err == nil {
			err = checkVersionID("versionId", o.VersionId)
		}
		if err == nil {
			err = s.authorize(r, action, objectARN(r.bucket, o.Key))
		}
		if e := api.AsError(err); e != nil {
			refused = append(refused, deleteError{o.Key, o.VersionId, e.Code, e.Message})
			continue
		} else if err != nil {
			return nil, nil, err
		}
		allowed = append(allowed, o)
	}
	return allowed, refused, nil
}

// foldersLast orders deletions so that a folder comes after what is in it: the engine deletes empty ones only.
func foldersLast(objects []objectIdentifier) {
	slices.SortStableFunc(objects, func(a, b objectIdentifier) int {
		return cmp.Compare(folderDepth(a.Key), folderDepth(b.Key))
	})
}

// folderDepth is negative for a folder, the nearer to zero the higher up it is, and the least for an object.
func folderDepth(key string) int {
	if !strings.HasSuffix(key, "/") {
		return math.MinInt
	}
	return -strings.Count(key, "/")
}

// deleteObject deletes an object. A folder that only exists because of what is in it is no object, and deleting
// what is not there is fine.
func (s *Service) deleteObject(w http.ResponseWriter, r *request) error {
	res, err := s.send(r, r.engineHeader())
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode < 300 {
		s.copyAnswer(w, r, res)
		return nil
	}
	err = s.engineError(w, r, res)
	if e := api.AsError(err); e == nil || e.Code != "ErrDirectoryNotEmpty" {
		return err
	}
	head, headErr := s.engine(r.call.HTTP.Context(), http.MethodHead, enginePath(r.bucket, r.key), nil, nil, nil, 0)
	if headErr != nil {
		return headErr
	}
	defer head.Body.Close()
	if head.StatusCode == http.StatusNotFound {
		return noContent(w)
	}
	return err
}

func (s *Service) deleteAllowed(r *request, objects []objectIdentifier) (deleteResult, error) {
	var out deleteResult
	foldersLast(objects)
	document, err := xml.Marshal(deleteOut{Object: objects})
	if err != nil {
		return out, err
	}
	sum := md5.Sum(document)
	h := http.Header{"Content-Md5": {base64.StdEncoding.EncodeToString(sum[:])}, "Content-Type": {xmlType}}
	res, err := s.engine(r.call.HTTP.Context(), http.MethodPost, enginePath(r.bucket, ""), url.Values{"delete": {""}}, h,
		bytes.NewReader(document), int64(len(document)))
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		e, err := readError(http.MethodPost, res)
		if err != nil {
			return out, err
		}
		return out, e
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return out, fmt.Errorf("read answer of object store: %w", err)
	}
	var in struct {
		Deleted []deletedObject
		Error   []deleteError
	}
	if err := xml.Unmarshal(body, &in); err != nil {
		return out, fmt.Errorf("read answer of object store: %w", err)
	}
	out.Deleted, out.Error = in.Deleted, in.Error
	return out, nil
}
