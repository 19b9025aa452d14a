package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// IsBootstrap reports whether this program runs as the demo's function.
func IsBootstrap() bool {
	return filepath.Base(os.Args[0]) == "bootstrap" && os.Getenv("AWS_LAMBDA_RUNTIME_API") != ""
}

// Bootstrap is the function: it reads one object by the SDK's defaults, with no endpoint given, and returns
// what the object says. It never returns.
func Bootstrap() {
	f := &function{bucket: os.Getenv("BUCKET_NAME"), key: os.Getenv("FILE_KEY")}
	lambda.Start(f.handle)
}

type function struct{ bucket, key string }

// event asks for one reading, or for the times of many.
type event struct {
	Measure int `json:"measure"`
}

// response is an answer in the form that API Gateway understands.
type response struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body"`
}

// timings are microseconds of single requests. A cold one looks the name up and opens a connection first.
type timings struct {
	Cold []int64 `json:"cold"`
	Warm []int64 `json:"warm"`
}

func (f *function) newClient() *s3.Client {
	return s3.New(s3.Options{
		Region:     os.Getenv("AWS_REGION"),
		HTTPClient: &http.Client{Transport: &http.Transport{}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
			}, nil
		}),
	})
}

func (f *function) handle(ctx context.Context, e event) (any, error) {
	// Lambda ends a function whose time is up. The context would end the request a moment before, and turn the
	// timeout into an answer that looks like success.
	ctx = context.WithoutCancel(ctx)
	if e.Measure > 0 {
		return f.measure(ctx, e.Measure)
	}
	content, err := f.read(ctx, f.newClient())
	if err != nil {
		return reply(500, map[string]any{"message": "Error reading metadata file", "error": err.Error()})
	}
	var metadata any
	if err := json.Unmarshal(content, &metadata); err != nil {
		return reply(500, map[string]any{"message": "Error reading metadata file", "error": err.Error()})
	}
	return reply(200, map[string]any{"message": "Successfully read metadata file", "content": metadata})
}

func reply(status int, body any) (response, error) {
	b, err := json.Marshal(body)
	return response{StatusCode: status, Body: string(b)}, err
}

func (f *function) read(ctx context.Context, c *s3.Client) ([]byte, error) {
	out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &f.bucket, Key: &f.key})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

func (f *function) measure(ctx context.Context, n int) (timings, error) {
	var t timings
	warm := f.newClient() // keeps its connection between requests
	if _, err := f.read(ctx, warm); err != nil {
		return t, fmt.Errorf("read the object: %w", err)
	}
	for range n {
		for _, m := range []struct {
			client *s3.Client
			into   *[]int64
		}{{f.newClient(), &t.Cold}, {warm, &t.Warm}} {
			start := time.Now()
			if _, err := f.read(ctx, m.client); err != nil {
				return t, fmt.Errorf("read the object: %w", err)
			}
			*m.into = append(*m.into, time.Since(start).Microseconds())
		}
	}
	return t, nil
}
