package region_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"

	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/network/dataplane"
	"github.com/culvert-cloud/culvert/internal/network/endpoint"
	"github.com/culvert-cloud/culvert/internal/operator"
	"github.com/culvert-cloud/culvert/internal/region"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// BenchmarkGetObject1KiB and BenchmarkGetObject16MiB read an object from inside a private subnet, through a gateway
// endpoint: interface, router, groups, TLS, signature, three policies, engine. The ratio is to the same engine by
// itself, over TLS on loopback, with the same client in the same run.
func BenchmarkGetObject1KiB(b *testing.B)  { benchmarkGetObject(b, 1<<10) }
func BenchmarkGetObject16MiB(b *testing.B) { benchmarkGetObject(b, 16<<20) }

func benchmarkGetObject(b *testing.B, size int) {
	content := make([]byte, size)
	_, _ = rand.Read(content)
	through := endpointReader(b, content)
	alone := bareReader(b, content)
	var there, bare time.Duration
	b.ResetTimer()
	for b.Loop() { // in turn, so that what else the machine does hits both
		there += fetch(b, through, size)
		bare += fetch(b, alone, size)
	}
	n := float64(b.N * batch)
	b.ReportMetric(n/there.Seconds(), "endpoint/s")
	b.ReportMetric(n/bare.Seconds(), "bare/s")
	b.ReportMetric(bare.Seconds()/there.Seconds(), "ratio")
}

// batch requests are made by four at a time.
const batch = 32

// reader reads the object by one way, with the SDK, as an application does.
type reader struct{ client *s3.Client }

func newReader(client *http.Client, key aws.Credentials) reader {
	return reader{s3.New(s3.Options{
		Region: "us-west-2", HTTPClient: client, BaseEndpoint: aws.String("https://s3.us-west-2.amazonaws.com"), UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return key, nil }),
	})}
}

func fetch(b *testing.B, r reader, size int) time.Duration {
	b.Helper()
	start := time.Now()
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			buffer := make([]byte, 256<<10)
			for range batch / 4 {
				out, err := r.client.GetObject(b.Context(), &s3.GetObjectInput{Bucket: aws.String("bench"), Key: aws.String("object")})
				if err != nil {
					b.Error(err)
					return
				}
				n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, out.Body, buffer)
				_ = out.Body.Close()
				if err != nil || n != int64(size) {
					b.Errorf("%d bytes, %v", n, err)
					return
				}
			}
		})
	}
	wait.Wait()
	return time.Since(start)
}

func trusting(authority []byte, dial func(context.Context, string, string) (net.Conn, error)) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DialContext: dial, MaxIdleConnsPerHost: 8}}
}

// endpointReader reads from inside a private subnet with a gateway endpoint.
func endpointReader(b *testing.B, content []byte) reader {
	r, client := open(b, region.Config{})
	var made struct {
		VPC       string `xml:"vpc>vpcId"`
		Subnet    string `xml:"subnet>subnetId"`
		Interface string `xml:"networkInterface>networkInterfaceId"`
		Tables    string `xml:"routeTableSet>item>routeTableId"`
	}
	for _, call := range [][]string{
		{"CreateVpc", "CidrBlock", "10.0.0.0/16"},
		{"CreateSubnet", "VpcId", "", "CidrBlock", "10.0.1.0/24"},
		{"DescribeRouteTables", "Filter.1.Name", "vpc-id", "Filter.1.Value.1", ""},
		{"CreateVpcEndpoint", "VpcId", "", "ServiceName", "com.amazonaws.us-west-2.s3", "RouteTableId.1", ""},
		{"CreateNetworkInterface", "SubnetId", ""},
	} {
		for i, value := range call {
			if value == "" {
				call[i] = map[string]string{"VpcId": made.VPC, "Filter.1.Value.1": made.VPC, "RouteTableId.1": made.Tables, "SubnetId": made.Subnet}[call[i-1]]
			}
		}
		if err := client.Query(b.Context(), "ec2", call[0], &made, call[1:]...); err != nil {
			b.Fatal(err)
		}
	}
	location := []byte("<CreateBucketConfiguration><LocationConstraint>us-west-2</LocationConstraint></CreateBucketConfiguration>")
	put(b, client, "/bench", location)
	put(b, client, "/bench/object", content)
	seat, err := r.Network().Attach(b.Context(), dataplane.Seat{ENI: resource.NetworkInterfaceID(made.Interface)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = seat.Close() })
	// Any address of the prefix list leads to the endpoint.
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return seat.Dial(ctx, "tcp4", "52.218.128.10:443")
	}
	return newReader(trusting(r.Authority(), dial), session(b, client))
}

// session is the key of a role that may read everything: the operator's is good on the host only.
func session(b *testing.B, client *operator.Client) aws.Credentials {
	b.Helper()
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::000000000000:root"}}]}`
	const read = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	var made struct {
		Key struct {
			ID     string `xml:"AccessKeyId"`
			Secret string `xml:"SecretAccessKey"`
			Token  string `xml:"SessionToken"`
		} `xml:"AssumeRoleResult>Credentials"`
	}
	for _, call := range [][]string{
		{"iam", "CreateRole", "RoleName", "reader", "AssumeRolePolicyDocument", trust},
		{"iam", "PutRolePolicy", "RoleName", "reader", "PolicyName", "read", "PolicyDocument", read},
		{"sts", "AssumeRole", "RoleArn", "arn:aws:iam::000000000000:role/reader", "RoleSessionName", "bench"},
	} {
		if err := client.Query(b.Context(), call[0], call[1], &made, call[2:]...); err != nil {
			b.Fatal(err)
		}
	}
	return aws.Credentials{AccessKeyID: made.Key.ID, SecretAccessKey: made.Key.Secret, SessionToken: made.Key.Token}
}

func put(b *testing.B, client *operator.Client, path string, body []byte) {
	b.Helper()
	if _, _, err := client.Do(b.Context(), operator.Request{Service: "s3", Method: "PUT", Path: path, Body: body}); err != nil {
		b.Fatal(err)
	}
}

// bareEngine is the environment variable that makes this test binary the object engine by itself: a directory with
// a certificate, and the address to listen on.
const bareEngine = "CULVERT_TEST_BARE_ENGINE"

// bareReader reads from the engine by itself.
func bareReader(b *testing.B, content []byte) reader {
	directory, listen := b.TempDir(), address(b)
	authority := certificate(b, directory)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(launch.Environ(), bareEngine+"="+directory+"="+listen)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp4", listen)
		if err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(deadline) {
			b.Fatal(err)
		}
	}
	client := trusting(authority, func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp4", listen)
	})
	r := newReader(client, aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"})
	bucket, key := "bench", "object"
	if _, err := r.client.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		b.Fatal(err)
	}
	if _, err := r.client.PutObject(b.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(content)}); err != nil {
		b.Fatal(err)
	}
	return r
}

// runBareEngine is the engine's own server, with its own TLS.
func runBareEngine(spec string) error {
	directory, listen, _ := strings.Cut(spec, "=")
	objects := filepath.Join(directory, "objects")
	if err := os.Mkdir(objects, 0o700); err != nil {
		return err
	}
	store, err := posix.New(objects, meta.XattrMeta{}, posix.PosixOpts{CopyObjectThreshold: 5 << 30})
	if err != nil {
		return err
	}
	return embedgw.RunVersityGW(context.Background(), store, &embedgw.Config{
		RootUserAccess: "test", RootUserSecret: "test", Region: "us-west-2", Ports: []string{listen}, Quiet: true, KeepAlive: true,
		CertFile: filepath.Join(directory, "cert.pem"), KeyFile: filepath.Join(directory, "key.pem"), MaxConnections: 1000, MaxRequests: 1000, MultipartMaxParts: 10000,
	})
}

// certificate writes a certificate for S3's name, of the kind the region uses, and returns its authority.
func certificate(b *testing.B, directory string) []byte {
	b.Helper()
	authority, err := endpoint.OpenAuthority("")
	if err != nil {
		b.Fatal(err)
	}
	leaf, err := authority.TLS("s3.us-west-2.amazonaws.com").GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		b.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		b.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(directory, name), pem.EncodeToMemory(block), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return authority.PEM()
}
