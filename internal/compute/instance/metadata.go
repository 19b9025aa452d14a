package instance

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// metadataAddress is the instance metadata service's (EC2 guide, "Instance metadata").
const metadataAddress = "169.254.169.254"

// Facts are what an instance may know of itself.
type Facts struct {
	Instance   *resource.Instance
	Link              // the first
	Further    []Link // the others, by device index
	Domain     string // us-west-2.compute.internal
	Resolver   netip.Addr
	Region     string
	Account    string
	ZoneID     string
	ProfileARN string // instance profile; empty: none
	ProfileID  string
	RoleName   string
	PublicKey  string // of the key pair; empty: none
}

// Link is an interface of an instance and what is around it.
type Link struct {
	Interface *resource.NetworkInterface
	PrivateIP netip.Addr
	PublicIP  netip.Addr // invalid: none
	// Names of the interface's groups, in the order of its ids.
	GroupNames []string
	SubnetCIDR netip.Prefix
	SubnetIPv6 netip.Prefix // invalid: none
	VPCCIDRs   []netip.Prefix
	VPCIPv6    []netip.Prefix
}

// Credentials are a role session's.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Updated, Expires                           time.Time
}

// The lifetimes that a token of version 2 may have, and the largest answer to expect.
const (
	maxTokenLife = 21600 * time.Second
	metadataIdle = 10 * time.Second
)

func newSecret() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return b
}

// service answers one instance's questions about itself. It knows nothing else, and forwards nothing.
type service struct {
	m  *Manager
	id resource.InstanceID

	mu   sync.Mutex
	role string      // whose credentials are; guarded by mu
	last Credentials // the same for everybody who asks, until they get old; guarded by mu
}

// renewal is how long before their end credentials are replaced, as on AWS.
const renewal = 5 * time.Minute

func (m *Manager) serveMetadata(id resource.InstanceID, l net.Listener) *http.Server {
	s := &http.Server{
		Handler: &service{m: m, id: id}, ReadHeaderTimeout: metadataIdle, ReadTimeout: metadataIdle, WriteTimeout: metadataIdle, IdleTimeout: metadataIdle,
		MaxHeaderBytes: 16 << 10,
	}
	go func() { _ = s.Serve(l) }() // until the machine ends
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "EC2ws")
	facts, ok := s.m.cfg.Facts(s.id)
	switch {
	case !ok:
		fail(w, http.StatusNotFound)
	case !own(r, facts), facts.Instance.Metadata.Disabled:
		fail(w, http.StatusForbidden)
	case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
		s.issue(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		fail(w, http.StatusMethodNotAllowed)
	default:
		s.answer(w, r, facts)
	}
}

// own reports whether a question comes from the instance itself: only from inside can the service be reached, and
// this makes sure of it.
func own(r *http.Request, f Facts) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	if from.Addr().String() == metadataAddress {
		return true
	}
	return slices.ContainsFunc(f.links(), func(l Link) bool { return slices.Contains(l.Interface.PrivateIPs, from.Addr()) })
}

func fail(w http.ResponseWriter, status int) {
	http.Error(w, strconv.Itoa(status)+" - "+http.StatusText(status), status)
}

// issue makes a token of version 2: when it ends, and a proof that it is ours and this instance's.
func (s *service) issue(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Forwarded-For") != "" { // a proxy that was fooled into asking
		fail(w, http.StatusForbidden)
		return
	}
	seconds, err := strconv.Atoi(r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds"))
	life := time.Duration(seconds) * time.Second
	if err != nil || life < time.Second || life > maxTokenLife {
		fail(w, http.StatusBadRequest)
		return
	}
	w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", strconv.Itoa(seconds))
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte(s.token(time.Now().Add(life))))
}

func (s *service) token(ends time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(ends.Unix()))
	return base64.URLEncoding.EncodeToString(append(b, s.proof(b)...))
}

func (s *service) proof(b []byte) []byte {
	h := hmac.New(sha256.New, s.m.secret)
	h.Write([]byte(s.id))
	h.Write(b)
	return h.Sum(nil)
}

func (s *service) valid(token string) bool {
	b, err := base64.URLEncoding.DecodeString(token)
	if err != nil || len(b) != 8+sha256.Size || !hmac.Equal(b[8:], s.proof(b[:8])) {
		return false
	}
	return time.Now().Unix() < int64(binary.BigEndian.Uint64(b))
}

func (s *service) answer(w http.ResponseWriter, r *http.Request, f Facts) {
	token := r.Header.Get("X-aws-ec2-metadata-token")
	if token == "" && !f.Instance.Metadata.TokensOptional || token != "" && !s.valid(token) {
		fail(w, http.StatusUnauthorized)
		return
	}
	_, path, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/") // latest, or the date of a version
	if !ok && r.URL.Path != "/" && r.URL.Path != "/latest" {
		fail(w, http.StatusNotFound)
		return
	}
	text, err := s.lookup(r.Context(), path, f)
	switch {
	case err != nil:
		s.m.cfg.Log.Warn("no credentials for an instance", "instance", s.id, "error", err)
		fail(w, http.StatusInternalServerError)
	case text == nil:
		fail(w, http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(text)
	}
}

// lookup finds a value, or the names below a directory; nil: there is nothing.
func (s *service) lookup(ctx context.Context, path string, f Facts) ([]byte, error) {
	if role, ok := strings.CutPrefix(path, "meta-data/iam/security-credentials/"); ok && role != "" && role == f.RoleName {
		return s.credentials(ctx, role)
	}
	if path == "user-data" {
		if len(f.Instance.UserData) == 0 {
			return nil, nil
		}
		return f.Instance.UserData, nil
	}
	return f.tree().find(path), nil
}

func (s *service) credentials(ctx context.Context, role string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.role != role || time.Until(s.last.Expires) < renewal {
		c, err := s.m.cfg.Credentials(ctx, s.id)
		if err != nil {
			return nil, fmt.Errorf("assume the role of the instance: %w", err)
		}
		s.role, s.last = role, c
	}
	c := s.last
	return json.MarshalIndent(map[string]string{
		"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": c.Updated.UTC().Format(time.RFC3339), "Expiration": c.Expires.UTC().Format(time.RFC3339),
		"AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey, "Token": c.SessionToken,
	}, "", "  ")
}
