package s3

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
)

// The values of X-Amz-Content-Sha256 that announce chunks. See the S3 API reference, "Authenticating Requests:
// Using the Authorization Header".
const (
	chunksUnsigned      = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	chunksSigned        = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	chunksSignedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
)

const maxObject = 5 << 30 // of one PUT

// bodyFor returns the body for the engine, and completes h with what is to be known of it.
func (s *Service) bodyFor(r *request, h http.Header) (io.Reader, int64, error) {
	n := r.call.HTTP.ContentLength
	if decoded := h.Get("X-Amz-Decoded-Content-Length"); decoded != "" {
		var err error
		if n, err = strconv.ParseInt(decoded, 10, 64); err != nil || n < 0 {
			return nil, 0, invalidArgument("The decoded content length is invalid.", "x-amz-decoded-content-length", decoded)
		}
	}
	if n > maxObject {
		return nil, 0, api.Errorf("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size").
			With("ProposedSize", strconv.FormatInt(n, 10)).With("MaxSizeAllowed", strconv.FormatInt(maxObject, 10))
	}
	body, length := io.Reader(r.call.HTTP.Body), r.call.HTTP.ContentLength
	if length == 0 {
		body = http.NoBody
	}
	switch h.Get(payloadHash) {
	case chunksSigned, chunksSignedTrailer:
		chunks, err := s.signedChunks(r, h.Get(payloadHash) == chunksSignedTrailer)
		if err != nil {
			return nil, 0, err
		}
		h.Set(payloadHash, chunksUnsigned)
		return chunks, -1, nil
	case chunksUnsigned:
	case "":
		if r.signed == signedHeader {
			return nil, 0, api.Errorf("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
		}
	default:
		h.Del("X-Amz-Decoded-Content-Length") // means nothing without chunks
		// What is behind the chunks can only be found if chunks were announced.
		if h.Get("X-Amz-Trailer") != "" {
			return nil, 0, api.Errorf("InvalidRequest", "The value of x-amz-content-sha256 header is invalid.")
		}
	}
	return body, length, nil
}

// chunkReader verifies chunks that are signed one by one and passes them on unsigned, with their framing: the
// end mark, without which the engine stores nothing, is passed on only after the signature of the end was
// verified.
type chunkReader struct {
	body     *bufio.Reader
	key      []byte
	date     string // of the request
	scope    string
	previous string // signature
	trailer  bool

	left  int64     // of the current chunk
	sum   hash.Hash // of the current chunk
	want  string    // signature of the current chunk
	frame []byte    // to be passed on first
	err   error     // after frame
}

func (s *Service) signedChunks(r *request, trailer bool) (*chunkReader, error) {
	scope, seed := parseAuthorization(r.header.Get("Authorization"))
	key := s.SigningKey(r.call)
	if r.signed != signedHeader || scope == "" || seed == "" || key == nil {
		return nil, api.Errorf("InvalidRequest", "Signed chunks need a signature in the Authorization header.")
	}
	return &chunkReader{
		body: bufio.NewReaderSize(r.call.HTTP.Body, 64<<10), key: key, date: r.header.Get("X-Amz-Date"),
		scope: scope, previous: seed, trailer: trailer,
	}, nil
}

// parseAuthorization returns the credential scope and the signature of a header that was verified before.
func parseAuthorization(header string) (scope, signature string) {
	_, rest, _ := strings.Cut(header, " ")
	for field := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			_, scope, _ = strings.Cut(value, "/")
		case "Signature":
			signature = value
		}
	}
	return scope, signature
}

// Read implements io.Reader.
func (c *chunkReader) Read(p []byte) (int, error) {
	for len(c.frame) == 0 && c.left == 0 && c.err == nil {
		c.err = c.next()
	}
	if len(c.frame) > 0 {
		n := copy(p, c.frame)
		c.frame = c.frame[n:]
		return n, nil
	}
	if c.left == 0 {
		return 0, c.err
	}
	n, err := c.body.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	_, _ = c.sum.Write(p[:n]) // never fails: see hash.Hash
	if err == nil && c.left == 0 {
		c.err = c.endChunk()
	} else if err != nil {
		c.left, c.err = 0, badChunks(err)
	}
	return n, nil
}

// next reads the head of the next chunk.
func (c *chunkReader) next() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, want, ok := strings.Cut(line, ";chunk-signature=")
	n, err := strconv.ParseInt(size, 16, 64)
	if err != nil || n < 0 || n > maxObject || !ok {
		return badChunks(err)
	}
	c.left, c.want, c.sum = n, want, sha256.New()
	if n == 0 {
		return c.end()
	}
	c.frame = fmt.Appendf(nil, "%x\r\n", n)
	return nil
}

// endChunk verifies the chunk whose last byte was read.
func (c *chunkReader) endChunk() error {
	if line, err := c.line(); err != nil || line != "" {
		return badChunks(err)
	}
	if err := c.verifyChunk(); err != nil {
		return err
	}
	c.frame = []byte("\r\n")
	return nil
}

// end verifies the end, and the trailer if there is one.
func (c *chunkReader) end() error {
	if err := c.verifyChunk(); err != nil {
		return err
	}
	c.frame = []byte("0\r\n")
	if c.trailer {
		if err := c.readTrailer(); err != nil {
			c.frame = nil
			return err
		}
	}
	c.frame = append(c.frame, "\r\n"...)
	return io.EOF
}

func (c *chunkReader) readTrailer() error {
	var lines strings.Builder
	for range 8 {
		line, err := c.line()
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, "x-amz-trailer-signature") {
			sum := sha256.Sum256([]byte(lines.String()))
			return c.verify("AWS4-HMAC-SHA256-TRAILER", strings.TrimSpace(value), hex.EncodeToString(sum[:]))
		}
		if line != "" {
			lines.WriteString(line + "\n")
			c.frame = append(c.frame, line+"\r\n"...)
		}
	}
	return badChunks(errors.New("no trailer signature"))
}

func (c *chunkReader) verifyChunk() error {
	empty := sha256.Sum256(nil)
	return c.verify("AWS4-HMAC-SHA256-PAYLOAD", c.want, hex.EncodeToString(empty[:]), hex.EncodeToString(c.sum.Sum(nil)))
}

// verify checks a signature in the chain: each covers the one before.
func (c *chunkReader) verify(algorithm, want string, hashes ...string) error {
	text := strings.Join(append([]string{algorithm, c.date, c.scope, c.previous}, hashes...), "\n")
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(text))
	got := hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(got), []byte(want)) {
		return &api.Error{
			Code: "SignatureDoesNotMatch", Status: http.StatusForbidden,
			Message: "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
		}
	}
	c.previous = got
	return nil
}

// line reads a line of the framing.
func (c *chunkReader) line() (string, error) {
	line, err := c.body.ReadSlice('\n')
	if err != nil {
		return "", badChunks(err)
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

func badChunks(cause error) error {
	e := incompleteBody()
	if errors.Is(cause, bufio.ErrBufferFull) {
		e.Message = "The chunks of the request are not well-formed."
	}
	return e
}
