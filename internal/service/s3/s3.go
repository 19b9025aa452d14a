package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"sync"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Authorizer decides whether a call may take an action on a resource. Its error is what the caller is told.
// The bucket's policy is nil if there is none; context holds condition keys of S3 itself.
type Authorizer func(r state.Reader, call *api.Call, action, resource string, bucketPolicy *policy.Document, context map[string][]string) error

// Config is what the service needs.
type Config struct {
	Store     *state.Store
	Engine    http.RoundTripper // objects.Engine.Transport
	Authorize Authorizer
	// SigningKey returns the derived key that the call was signed with, nil if it was not signed in a header.
	// Chunks that are signed one by one cannot be checked without.
	SigningKey func(*api.Call) []byte
	Log        *slog.Logger
}

// Service is S3.
type Service struct {
	Config
	routes   map[route]*operation
	policies policies
	tagUse   tagUse
	buffers  *sync.Pool // of *[]byte
}

// New makes the service.
func New(c Config) *Service {
	s := &Service{Config: c, routes: map[route]*operation{}, buffers: newBuffers()}
	s.addServiceOperations()
	s.addBucketOperations()
	s.addConfigurationOperations()
	s.addObjectOperations()
	return s
}

// Definition says what the service is to the rest of the program.
func (s *Service) Definition() service.Definition {
	return service.Definition{
		Name: "s3", Protocol: service.RESTXML, Version: "2006-03-01", Namespace: namespace, Handler: s, VirtualBucket: virtualBucket,
	}
}

// CanonicalUserID is S3's name for an account: 64 hex digits.
func CanonicalUserID(account string) string {
	sum := sha256.Sum256([]byte("canonical user " + account))
	return hex.EncodeToString(sum[:])
}

// ServeCall implements service.Handler.
func (s *Service) ServeCall(w http.ResponseWriter, call *api.Call) {
	setCommonHeaders(w, call)
	r, err := s.newRequest(call)
	if err == nil {
		err = s.serve(w, r)
	}
	if err != nil {
		s.writeError(w, call, err)
	}
}

// serve is what every call goes through, in order.
func (s *Service) serve(w http.ResponseWriter, r *request) error {
	if err := s.findOperation(r); err != nil {
		return err
	}
	r.call.Operation = r.op.name
	if err := s.findBucket(r); err != nil {
		return err
	}
	if err := r.checkOwner(); err != nil {
		return err
	}
	if r.level == levelObject {
		if err := checkKey(r.key); err != nil {
			return err
		}
	}
	if r.op.check != nil {
		if err := r.op.check(r); err != nil {
			return err
		}
	}
	if r.op.action != "" {
		if err := s.authorize(r, r.action(), r.resource()); err != nil {
			return err
		}
	}
	return r.op.run(w, r)
}
