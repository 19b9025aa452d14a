package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// call makes a signed call to a service by its real name, as the function, and returns status and answer. With a
// target it is JSON, with a path it is a GET, and otherwise a form.
func call(ctx context.Context, e event) (string, error) {
	region := os.Getenv("AWS_REGION")
	method, path, kind := http.MethodPost, "/", "application/x-www-form-urlencoded"
	if e.Path != "" {
		method, path = http.MethodGet, e.Path
	}
	r, err := http.NewRequestWithContext(ctx, method, "https://"+e.Call+"."+region+".amazonaws.com"+path, strings.NewReader(e.Body))
	if err != nil {
		return "", err
	}
	if e.Target != "" {
		kind = "application/x-amz-json-1.1"
		r.Header.Set("X-Amz-Target", e.Target)
	}
	r.Header.Set("Content-Type", kind)
	own := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")}
	sum := sha256.Sum256([]byte(e.Body))
	if err := v4.NewSigner().SignHTTP(ctx, own, r, hex.EncodeToString(sum[:]), e.Call, region, time.Now()); err != nil {
		return "", err
	}
	response, err := (&http.Client{Transport: &http.Transport{}}).Do(r)
	if err != nil {
		return outcome(err), nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	return response.Status + " " + strings.Join(strings.Fields(string(body)), " "), err
}
