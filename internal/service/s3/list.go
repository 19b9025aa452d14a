package s3

import (
	"fmt"
	"io"
	"net/http"
	"slices"
)

// checkListing checks what a listing is asked for.
func checkListing(r *request) error {
	if e := r.query.Get("encoding-type"); e != "" && e != "url" {
		return invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", e)
	}
	return checkPrefix(r.query.Get("prefix"))
}

// list lets the engine list. The engine does not know encoding-type=url, by which clients protect keys that XML
// cannot carry; then names are encoded here.
func (s *Service) list(w http.ResponseWriter, r *request) error {
	if r.query.Get("encoding-type") == "" {
		return s.proxy(w, r)
	}
	r.query.Del("encoding-type")
	res, err := s.send(r, r.engineHeader())
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return s.engineError(w, r, res)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read listing of object store: %w", err)
	}
	var listing node
	if err := parseXML(body, "", &listing); err != nil {
		return fmt.Errorf("read listing of object store: %s", body)
	}
	encodeNames(&listing)
	listing.Children = append(listing.Children, node{XMLName: named("EncodingType"), Text: "url"})
	return writeDocument(w, withNamespace(listing.String()))
}

// encodeNames encodes what the S3 API reference says under encoding-type, and removes the engine's empty element.
func encodeNames(n *node) {
	n.Children = slices.DeleteFunc(n.Children, func(c node) bool { return c.XMLName.Local == "EncodingType" })
	for i := range n.Children {
		encodeNames(&n.Children[i])
	}
	switch n.XMLName.Local {
	case "Key", "Prefix", "Delimiter", "Marker", "NextMarker", "StartAfter", "KeyMarker", "NextKeyMarker":
		n.Text = escapePath(n.Text)
	}
}
