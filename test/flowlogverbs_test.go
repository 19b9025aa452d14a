package test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/culvert-cloud/culvert/internal/operator"
)

// The verbs for records of flow logs: they wait until a line matches, and print all lines. With ! before them they
// look once, and no line may match.

// groupHas reads a log group, "stream: message" a line.
func groupHas(ts *testscript.TestScript, neg bool, args []string) {
	lookFor(ts, neg, args, func(ctx context.Context, client *operator.Client) (string, error) {
		body, err := json.Marshal(map[string]string{"logGroupName": args[0]})
		if err != nil {
			return "", err
		}
		_, answer, err := client.Do(ctx, operator.Request{Service: "logs", Method: "POST", Path: "/", Body: body, Header: map[string]string{
			"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Logs_20140328.FilterLogEvents"}})
		if refused := (*operator.APIError)(nil); errors.As(err, &refused) {
			return "", nil // no such group, yet
		} else if err != nil {
			return "", err
		}
		var found struct {
			Events []struct{ LogStreamName, Message string }
		}
		if err := json.Unmarshal(answer, &found); err != nil {
			return "", err
		}
		var b strings.Builder
		for _, e := range found.Events {
			fmt.Fprintf(&b, "%s: %s\n", e.LogStreamName, e.Message)
		}
		return b.String(), nil
	})
}

// bucketHas reads all compressed files of a bucket, each after a line with its key.
func bucketHas(ts *testscript.TestScript, neg bool, args []string) {
	lookFor(ts, neg, args, func(ctx context.Context, client *operator.Client) (string, error) {
		_, answer, err := client.Do(ctx, operator.Request{Service: "s3", Method: "GET", Path: "/" + args[0], Query: url.Values{"list-type": {"2"}}})
		if err != nil {
			return "", err
		}
		var list struct{ Contents []struct{ Key string } }
		if err := xml.Unmarshal(answer, &list); err != nil {
			return "", err
		}
		var b strings.Builder
		for _, o := range list.Contents {
			if !strings.HasSuffix(o.Key, ".gz") {
				continue
			}
			_, file, err := client.Do(ctx, operator.Request{Service: "s3", Method: "GET", Path: "/" + args[0] + "/" + o.Key, Header: map[string]string{"Accept-Encoding": "identity"}})
			if err != nil {
				return "", err
			}
			z, err := gzip.NewReader(bytes.NewReader(file))
			if err != nil {
				return "", fmt.Errorf("%s, %q: %w", o.Key, file[:min(len(file), 60)], err)
			}
			text, err := io.ReadAll(z)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "%s\n%s", o.Key, text)
		}
		return b.String(), nil
	})
}

// waitsFor makes a call again and again until its answer matches a pattern.
func waitsFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: waits-for PATTERN SERVICE OPERATION [NAME=VALUE...]")
	}
	var parameters []string
	for _, a := range args[3:] {
		name, value, _ := strings.Cut(a, "=")
		parameters = append(parameters, name, value)
	}
	lookFor(ts, false, []string{"", args[0]}, func(ctx context.Context, client *operator.Client) (string, error) {
		body, err := client.QueryRaw(ctx, args[1], args[2], parameters...)
		return string(body), err
	})
}

func lookFor(ts *testscript.TestScript, neg bool, args []string, read func(context.Context, *operator.Client) (string, error)) {
	if len(args) != 2 {
		ts.Fatalf("usage: group-has GROUP PATTERN, bucket-has BUCKET PATTERN")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	var text string
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		ctx, cancel := limit()
		text, err = read(ctx, of(ts).client)
		cancel()
		ts.Check(err)
		if pattern.MatchString(text) || neg || time.Now().After(end) {
			break
		}
	}
	fmt.Fprint(ts.Stdout(), text)
	if pattern.MatchString(text) == neg {
		ts.Fatalf("match of %q: %t, in\n%s", args[1], !neg, text)
	}
}
