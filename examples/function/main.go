// The function of the examples: it reads an object of S3, asks STS who it is, or fetches a URL.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

type event struct {
	Do  string `json:"do"`  // read (the object in $BUCKET and $KEY), whoami, fetch; empty: read
	URL string `json:"url"` // to fetch
}

func main() { lambda.Start(handle) }

func handle(ctx context.Context, e event) (string, error) {
	switch e.Do {
	case "", "read":
		return read(ctx, os.Getenv("BUCKET"), os.Getenv("KEY"))
	case "whoami":
		return whoami(ctx)
	case "fetch":
		return fetch(ctx, e.URL)
	}
	return "", fmt.Errorf("cannot do %q", e.Do)
}

func read(ctx context.Context, bucket, key string) (string, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return "", err
	}
	out, err := s3.NewFromConfig(cfg).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	return string(text), err
}

func whoami(ctx context.Context) (string, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return "", err
	}
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Arn), nil
}

func fetch(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	return string(text), err
}
