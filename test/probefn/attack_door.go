package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"golang.org/x/sys/unix"
)

const storeName = "s3.us-west-2.amazonaws.com"

// doorAttacks are on the region's API as it is reached from the network. The function's role may read the bucket
// data, through an endpoint that is not there.
func doorAttacks() []attack {
	return []attack{
		{"the operator's keys", operatorKeys},
		{"another door by headers", forgedOrigin},
		{"the region's own API", ownAPI},
		{"another service by its name", otherService},
		{"two requests in one", smuggle},
	}
}

func operatorKeys(ctx context.Context, _ event) (string, error) {
	operator := aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
	for _, path := range []string{"/", "/data/object"} {
		status, body, err := signed(ctx, operator, path, nil)
		if err != nil || status != http.StatusForbidden || !strings.Contains(body, "InvalidAccessKeyId") {
			return through("%s: %d %s %v", path, status, body, err)
		}
	}
	return "unknown inside", nil
}

// forgedOrigin says in every header that might be believed that the request came through an endpoint.
func forgedOrigin(ctx context.Context, _ event) (string, error) {
	own := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")}
	headers := map[string]string{
		"X-Amz-Source-Vpce": "vpce-0123456789abcdef0", "Aws-Sourcevpce": "vpce-0123456789abcdef0", "X-Vpc-Endpoint-Id": "vpce-0123456789abcdef0",
		"X-Amz-Source-Vpc": "vpc-0123456789abcdef0", "X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-Ip": "127.0.0.1", "X-Forwarded-Host": "localhost",
	}
	for _, h := range []map[string]string{nil, headers} {
		status, body, err := signed(ctx, own, "/data/object", h)
		if err != nil || status != http.StatusForbidden || !strings.Contains(body, "AccessDenied") {
			return through("%d %s %v", status, body, err)
		}
	}
	return "denied", nil
}

func signed(ctx context.Context, c aws.Credentials, path string, header map[string]string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+storeName+path, nil)
	if err != nil {
		return 0, "", err
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	empty := sha256.Sum256(nil)
	hash := hex.EncodeToString(empty[:])
	r.Header.Set("X-Amz-Content-Sha256", hash)
	if err := v4.NewSigner().SignHTTP(ctx, c, r, hash, "s3", "us-west-2", time.Now()); err != nil {
		return 0, "", err
	}
	response, err := (&http.Client{Transport: &http.Transport{}}).Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	return response.StatusCode, string(body), err
}

// ownAPI asks a door inside for what only the host's has.
func ownAPI(context.Context, event) (string, error) {
	requests := []string{
		"GET /_culvert/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET /_culvert/status HTTP/1.1\r\nHost: 127.0.0.1:4566\r\n\r\n",
		"GET /_culvert/status HTTP/1.0\r\n\r\n",
		"GET http://localhost/_culvert/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET //_culvert/status HTTP/1.1\r\nHost: aws.test\r\n\r\n",
		"GET /data/../_culvert/status HTTP/1.1\r\nHost: aws.test\r\n\r\n",
		"POST /_culvert/down HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
		"GET /_culvert/topology HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: localhost\r\n\r\n",
	}
	for _, r := range requests {
		answers, err := exchange(r)
		if err != nil {
			return through("%q: %v", r, err)
		}
		for _, a := range answers {
			if a < 300 {
				return through("%q: %d", r, a)
			}
		}
	}
	return "only objects there", nil
}

func otherService(context.Context, event) (string, error) {
	for _, host := range []string{"ec2.us-west-2.amazonaws.com", "sts.amazonaws.com", "iam.amazonaws.com", "lambda.us-west-2.amazonaws.com", "localhost", "bucket.localhost"} {
		for _, r := range []string{
			"POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 19\r\n\r\nAction=DescribeVpcs",
			"GET /2015-03-31/functions HTTP/1.1\r\nHost: %s\r\n\r\n",
			"CONNECT %s:443 HTTP/1.1\r\nHost: x\r\n\r\n",
		} {
			answers, err := exchange(fmt.Sprintf(r, host))
			if err != nil || len(answers) != 1 || answers[0] < 300 {
				return through("%s: %v %v", host, answers, err)
			}
		}
	}
	return "refused", nil
}

// smuggle sends what two readers may read in two ways. None may be answered with success, nor twice.
func smuggle(context.Context, event) (string, error) {
	const hidden = "GET / HTTP/1.1\r\nHost: " + storeName + "\r\n\r\n"
	for _, r := range []string{
		"POST /data/x HTTP/1.1\r\nHost: s3\r\nContent-Length: 6\r\nContent-Length: 5\r\n\r\n0\r\n\r\nG" + hidden,
		"POST /data/x HTTP/1.1\r\nHost: s3\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + hidden,
		"POST /data/x HTTP/1.1\r\nHost: s3\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
		"POST /data/x HTTP/1.1\r\nHost: s3\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" + hidden,
		"GET /data/x\x00 HTTP/1.1\r\nHost: s3\r\n\r\n" + hidden,
		"GET /data/x HTTP/1.1\r\nHost: s3\r\nX-Amz-Meta-A: b\x00c\r\n\r\n" + hidden,
		"GET /data/x HTTP/1.1\r\n\r\n" + hidden,
	} {
		answers, err := exchange(r)
		if err != nil || len(answers) != 1 || answers[0] != http.StatusBadRequest && answers[0] != http.StatusNotImplemented {
			return through("%.60q: %v %v", r, answers, err)
		}
	}
	for _, path := range []string{"/data/%2e%2e/%2e%2e/state", "/data/..%2f..%2fsession-key", "/..%2fsession-key", "/data/%00", "/data/.sgwtmp/x", "/%2e%2e/authority/ca-key.pem"} {
		answers, err := exchange("GET " + path + " HTTP/1.1\r\nHost: s3\r\n\r\n")
		if err != nil || len(answers) != 1 || answers[0] < 400 || answers[0] >= 500 {
			return through("%s: %v %v", path, answers, err)
		}
	}
	return "refused", nil
}

// exchange sends bytes to the object store's port 80 and returns the status of every answer until it closes or is
// silent.
func exchange(request string) ([]int, error) {
	c, err := net.DialTimeout("tcp4", storeName+":80", time.Second)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		return nil, err
	}
	var answers []int
	wait := 2 * time.Second // for the first; others follow at once
	for r := bufio.NewReader(c); ; wait = 50 * time.Millisecond {
		_ = c.SetReadDeadline(time.Now().Add(wait))
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			return answers, nil
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		answers = append(answers, response.StatusCode)
	}
}

// greedyAttacks take as much as they can get.
func greedyAttacks() []attack {
	return []attack{
		{"connections", manyConnections},
		{"open files", manyFiles},
		{"processes", manyProcesses},
		{"flows", manyFlows},
	}
}

func manyConnections(ctx context.Context, _ event) (string, error) {
	const most = 900
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for range most {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp4", storeName+":80")
		if err != nil {
			break
		}
		open = append(open, c)
	}
	time.Sleep(200 * time.Millisecond)
	alive := 0
	for _, c := range open {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); os.IsTimeout(err) {
			alive++
		}
	}
	if alive > 512 || alive == 0 {
		return through("%d connections", alive)
	}
	return fmt.Sprintf("%d of %d", alive, len(open)), nil
}

func manyFiles(context.Context, event) (string, error) {
	var open []int
	defer func() {
		for _, fd := range open {
			_ = unix.Close(fd)
		}
	}()
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20})
	for range 5000 {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Sprintf("%d: %v", len(open), err), nil
		}
		open = append(open, fd)
	}
	return through("%d files", len(open))
}

func manyProcesses(context.Context, event) (string, error) {
	program, err := exec.LookPath("sleep")
	if err != nil {
		program = "/usr/bin/sleep"
	}
	var started []int
	defer func() {
		for _, pid := range started {
			_ = unix.Kill(pid, unix.SIGKILL)
			_, _ = unix.Wait4(pid, nil, 0, nil)
		}
	}()
	for range 1500 {
		pid, err := syscall.ForkExec(program, []string{"sleep", "30"}, nil)
		if err != nil {
			return fmt.Sprintf("%d: %v", len(started), err), nil
		}
		started = append(started, pid)
	}
	return through("%d processes", len(started))
}

// manyFlows asks the resolver from every port there is. That the others still get through is for the script to see.
func manyFlows(context.Context, event) (string, error) {
	to := &unix.SockaddrInet4{Addr: [4]byte{10, 0, 0, 2}, Port: 53}
	query, sent := question("s3.us-west-2.amazonaws.com", 1), 0
	for port := 1024; port <= 65535; port++ {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return through("no socket: %v", err)
		}
		if unix.Bind(fd, &unix.SockaddrInet4{Port: port}) == nil && unix.Sendto(fd, query, 0, to) == nil {
			sent++
		}
		_ = unix.Close(fd)
	}
	if sent < 10_000 {
		return through("only %d were sent, so this shows nothing", sent)
	}
	return fmt.Sprintf("%d questions", sent), nil
}
