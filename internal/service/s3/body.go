package s3

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
)

const (
	payloadHash     = "X-Amz-Content-Sha256"
	unsignedPayload = "UNSIGNED-PAYLOAD"
	maxDocument     = 2 << 20 // DeleteObjects with 1000 keys of 1024 bytes
)

// readBody reads a document from the request, and checks it against every checksum that came with it.
func (r *request) readBody() ([]byte, error) {
	if r.call.HTTP.ContentLength > maxDocument {
		return nil, bodyTooLong()
	}
	body, err := io.ReadAll(io.LimitReader(r.call.HTTP.Body, maxDocument+1))
	if err != nil {
		return nil, incompleteBody()
	}
	if len(body) > maxDocument {
		return nil, bodyTooLong()
	}
	if err := r.checkPayloadHash(body); err != nil {
		return nil, err
	}
	if want := r.header.Get("Content-Md5"); want != "" {
		if err := checkDigest(md5.New(), body, want, "Content-MD5"); err != nil {
			return nil, err
		}
	}
	return body, r.checkChecksum(body)
}

func bodyTooLong() error {
	return api.Errorf("MaxMessageLengthExceeded", "Your request was too big.").With("MaxMessageLengthBytes", itoa(maxDocument))
}

func incompleteBody() *api.Error {
	return api.Errorf("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
}

func (r *request) checkPayloadHash(body []byte) error {
	want := r.header.Get(payloadHash)
	switch {
	case want == "" && r.signed == signedHeader:
		return api.Errorf("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	case want == "" || want == unsignedPayload:
		return nil
	case strings.HasPrefix(want, "STREAMING-"):
		return api.Errorf("InvalidRequest", "The value of x-amz-content-sha256 header is invalid.")
	}
	sum := sha256.Sum256(body)
	if got := hex.EncodeToString(sum[:]); got != want {
		return api.Errorf("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.").
			With("ClientComputedContentSHA256", want).With("S3ComputedContentSHA256", got)
	}
	return nil
}

// checksums are the algorithms that can be checked here; the engine knows some more, for objects.
var checksums = map[string]func() hash.Hash{
	"crc32":     func() hash.Hash { return crc32.NewIEEE() },
	"crc32c":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	"crc64nvme": func() hash.Hash { return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5)) },
	"sha1":      sha1.New,
	"sha256":    sha256.New,
	"sha512":    sha512.New,
	"md5":       md5.New,
}

func (r *request) checkChecksum(body []byte) error {
	for name, values := range r.header {
		algorithm, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-checksum-")
		if !ok || algorithm == "algorithm" || algorithm == "type" || algorithm == "mode" {
			continue
		}
		make, ok := checksums[algorithm]
		if !ok {
			return headerNotImplemented(name)
		}
		if err := checkDigest(make(), body, values[0], strings.ToUpper(algorithm)); err != nil {
			return err
		}
	}
	return nil
}

func checkDigest(h hash.Hash, body []byte, want, name string) error {
	sum, err := base64.StdEncoding.DecodeString(want)
	if err != nil || len(sum) != h.Size() {
		if name == "Content-MD5" {
			return api.Errorf("InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		return api.Errorf("InvalidRequest", "Value for x-amz-checksum-%s header is invalid.", strings.ToLower(name))
	}
	_, _ = h.Write(body) // never fails: see hash.Hash
	if !bytes.Equal(h.Sum(nil), sum) {
		if name == "Content-MD5" {
			return api.Errorf("BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
		return api.Errorf("BadDigest", "The %s you specified did not match the calculated checksum.", name)
	}
	return nil
}

// readXML reads a document whose root element has the given name.
func (r *request) readXML(root string, into any) error {
	body, err := r.readBody()
	if err != nil {
		return err
	}
	return parseXML(body, root, into)
}

// parseXML reads a document; an empty root stands for any.
func parseXML(body []byte, root string, into any) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return malformedXML()
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if root != "" && start.Name.Local != root || d.DecodeElement(into, &start) != nil {
			return malformedXML()
		}
		break
	}
	// Nothing but white space and comments may follow.
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		text, isText := token.(xml.CharData)
		_, isComment := token.(xml.Comment)
		if err != nil || !isComment && (!isText || len(bytes.TrimSpace(text)) > 0) {
			return malformedXML()
		}
	}
}

// noContent answers a change that has nothing to say.
func noContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}
