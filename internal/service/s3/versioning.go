package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/culvert-cloud/culvert/internal/resource"
)

type versioningXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
	Status  string   `xml:",omitempty"`
}

func (s *Service) getVersioning(w http.ResponseWriter, r *request) error {
	return writeXML(w, versioningXML{Status: r.config.Versioning})
}

// putVersioning tells the engine first, then the state.
func (s *Service) putVersioning(w http.ResponseWriter, r *request) error {
	var in struct {
		Status    string
		MfaDelete string
	}
	if err := r.readXML("VersioningConfiguration", &in); err != nil {
		return err
	}
	if in.MfaDelete == "Enabled" {
		return notImplemented("MfaDelete is not implemented.")
	}
	if in.Status != "Enabled" && in.Status != "Suspended" {
		return malformedXML()
	}
	document, err := xml.Marshal(versioningXML{Status: in.Status})
	if err != nil {
		return err
	}
	res, err := s.engine(r.call.HTTP.Context(), http.MethodPut, enginePath(r.bucket, ""), url.Values{"versioning": {""}}, nil,
		strings.NewReader(string(document)), int64(len(document)))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("set versioning of bucket %s in object store: status %d", r.bucket, res.StatusCode)
	}
	if err := s.change(r, func(b *resource.Bucket) { b.Versioning = in.Status }); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}
