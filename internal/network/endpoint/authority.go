package endpoint

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	leafRenew     = 7 * 24 * time.Hour // before the end
	maxLeaves     = 1024
	// suffix is the domain that the authority certifies, whatever name a client asks for; webSuffix that of addresses
	// such as functions' URLs.
	suffix    = "amazonaws.com"
	webSuffix = "on.aws"
)

// Authority is the region's own certificate authority. Its key stays in the region's directory; only the
// certificate enters sandboxes.
type Authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	leafKey     *ecdsa.PrivateKey

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // by pattern; guarded by mu
}

// OpenAuthority reads the authority from a directory, or makes it there. An empty directory name keeps it in
// memory.
func OpenAuthority(directory string) (*Authority, error) {
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make leaf key: %w", err)
	}
	a := &Authority{leafKey: leafKey, leaves: map[string]*tls.Certificate{}}
	if directory == "" {
		return a, a.create()
	}
	err = a.load(directory)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !slices.Contains(a.certificate.PermittedDNSDomains, webSuffix) {
		if err := a.create(); err != nil {
			return nil, err
		}
		return a, a.save(directory)
	}
	return a, err
}

func (a *Authority) create() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make authority key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "Culvert region authority", Organization: []string{"Culvert"}},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(authorityLife),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		// A workload that trusts this authority trusts it for AWS's names and nothing else.
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{suffix, webSuffix},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("make authority certificate: %w", err)
	}
	a.key = key
	a.certificate, err = x509.ParseCertificate(der)
	return err
}

func (a *Authority) load(directory string) error {
	certificate, err := os.ReadFile(filepath.Join(directory, "ca.pem"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(directory, "ca-key.pem"))
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return fmt.Errorf("read the certificate authority in %s: %w; remove both of its files to make a new one", directory, err)
	}
	a.certificate, a.key = pair.Leaf, pair.PrivateKey.(crypto.Signer)
	return nil
}

func (a *Authority) save(directory string) error {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return fmt.Errorf("write authority key: %w", err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	// The key first: load takes a directory without a certificate for an empty one.
	if err := os.WriteFile(filepath.Join(directory, "ca-key.pem"), key, 0o600); err != nil {
		return fmt.Errorf("write authority key: %w", err)
	}
	if err := os.WriteFile(filepath.Join(directory, "ca.pem"), a.PEM(), 0o644); err != nil {
		return fmt.Errorf("write authority certificate: %w", err)
	}
	return nil
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// TLS is a server configuration that presents a certificate for the name that the client asks for, or for
// fallback if it asks for none.
func (a *Authority) TLS(fallback string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"}, // as S3
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
			if name == "" {
				name = fallback
			}
			return a.leaf(name)
		},
	}
}

// leaf returns a certificate for a name. Names that differ in their first label only share one, so that a
// client cannot fill the memory by asking for one bucket after another.
func (a *Authority) leaf(name string) (*tls.Certificate, error) {
	if !strings.HasSuffix(name, "."+suffix) && !strings.HasSuffix(name, ".lambda-url."+regionOf(name)+"."+webSuffix) {
		return nil, fmt.Errorf("no certificate for %q: the region serves names below %s only", name, suffix)
	}
	_, parent, _ := strings.Cut(name, ".")
	names := []string{name}
	if strings.Contains(parent, ".") && parent != suffix {
		names = []string{parent, "*." + parent}
	}
	if strings.Count(parent, ".") < 2 { // a service's own name, such as s3.amazonaws.com or iam.amazonaws.com
		names = []string{name, "*." + name}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.leaves[names[0]]; c != nil && time.Now().Before(c.Leaf.NotAfter.Add(-leafRenew)) {
		return c, nil
	}
	if len(a.leaves) >= maxLeaves {
		clear(a.leaves)
	}
	c, err := a.issue(names)
	if err != nil {
		return nil, fmt.Errorf("issue certificate for %s: %w", name, err)
	}
	a.leaves[names[0]] = c
	return c, nil
}

// regionOf is the third label from the right: of a function's URL, its region.
func regionOf(name string) string {
	labels := strings.Split(name, ".")
	return labels[max(0, len(labels)-3)]
}

func (a *Authority) issue(names []string) (*tls.Certificate, error) {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: names[0]},
		DNSNames:     names,
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, a.leafKey.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.leafKey, Leaf: leaf}, nil
}

func serial() *big.Int {
	n, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // never fails: see crypto/rand
	return n
}
