package endpoint

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func verify(t *testing.T, a *Authority, name string) error {
	t.Helper()
	c, err := a.TLS("s3.us-west-2.amazonaws.com").GetCertificate(&tls.ClientHelloInfo{ServerName: name})
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.PEM()) {
		t.Fatal("the authority's PEM holds no certificate")
	}
	want := name
	if want == "" {
		want = "s3.us-west-2.amazonaws.com"
	}
	_, err = c.Leaf.Verify(x509.VerifyOptions{DNSName: want, Roots: roots})
	return err
}

func TestEveryServiceNameGetsACertificateThatVerifies(t *testing.T) {
	a, err := OpenAuthority("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"", "s3.us-west-2.amazonaws.com", "bucket.s3.us-west-2.amazonaws.com", "s3.amazonaws.com", "bucket.s3.amazonaws.com",
		"bucket.s3.dualstack.us-west-2.amazonaws.com", "000000000000.s3-control.us-west-2.amazonaws.com", "sts.amazonaws.com", "iam.amazonaws.com",
		"ec2.us-west-2.amazonaws.com", "bucket.vpce-0a-1b.s3.us-west-2.vpce.amazonaws.com", "data.bucket.vpce-0a-1b.s3.us-west-2.vpce.amazonaws.com",
		"vpce-0a-1b.logs.us-west-2.vpce.amazonaws.com",
	} {
		if err := verify(t, a, name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestNamesOutsideAWSGetNoCertificate(t *testing.T) {
	a, err := OpenAuthority("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"example.org", "amazonaws.com", "amazonaws.com.example.org", "xamazonaws.com"} {
		if verify(t, a, name) == nil {
			t.Errorf("%q got a certificate", name)
		}
	}
}

func TestTheAuthorityOutlivesARestart(t *testing.T) {
	directory := t.TempDir()
	first, err := OpenAuthority(directory)
	if err != nil {
		t.Fatal(err)
	}
	second, err := OpenAuthority(directory)
	if err != nil {
		t.Fatal(err)
	}
	if string(first.PEM()) != string(second.PEM()) {
		t.Error("a new certificate after the restart")
	}
	if err := verify(t, second, "s3.us-west-2.amazonaws.com"); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(filepath.Join(directory, "ca-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %o", info.Mode().Perm())
	}
}

func TestManyBucketsShareOneCertificate(t *testing.T) {
	a, err := OpenAuthority("")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := verify(t, a, fmt.Sprintf("bucket-%d.s3.us-west-2.amazonaws.com", i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.leaves) != 1 {
		t.Errorf("%d certificates for one parent name", len(a.leaves))
	}
}
