package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// client speaks to the inspect API of a running region.
type client struct {
	endpoint *string
}

// status is what a region says of itself: GET /_culvert/status.
type status struct {
	Version          string         `json:"version"`
	Region           string         `json:"region"`
	Account          string         `json:"account"`
	Endpoint         string         `json:"endpoint"`
	PID              int            `json:"pid"`
	Started          time.Time      `json:"started"`
	Data             string         `json:"data"`
	Rootless         bool           `json:"rootless"`
	AssumePrivateDNS bool           `json:"assumePrivateDns"`
	Revision         uint64         `json:"revision"`
	AppliedRevision  uint64         `json:"appliedRevision"`
	NetworkError     string         `json:"networkError"`
	Resources        map[string]int `json:"resources"`
	NotEnforced      []string       `json:"notEnforced"`
	Quotas           map[string]int `json:"quotas"`
	RaisedQuotas     []string       `json:"raisedQuotas"`
	Services         []struct {
		Name        string   `json:"name"`
		Implemented []string `json:"implemented"`
		Refused     []string `json:"refused"`
		NotEnforced []string `json:"notEnforced"`
	} `json:"services"`
	RunKey string `json:"runKey"`
}

// call makes one request and decodes the JSON answer into out, if out is not nil.
func (c *client) call(ctx context.Context, method, path string, query url.Values, out any) error {
	body, err := c.fetch(ctx, method, path, query)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s is not a culvert region: %w", *c.endpoint, err)
	}
	return nil
}

// fetch makes one request and returns the answer as it is.
func (c *client) fetch(ctx context.Context, method, path string, query url.Values) ([]byte, error) {
	return c.send(ctx, method, path, query, nil)
}

// send is fetch with something to be read by the region.
func (c *client) send(ctx context.Context, method, path string, query url.Values, body []byte) ([]byte, error) {
	answer, err := c.openWith(ctx, method, path, query, body)
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	return readAnswer(answer)
}

func readAnswer(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, 64<<20))
	if err != nil {
		return nil, fmt.Errorf("read the region's answer: %w", err)
	}
	return body, nil
}

// open makes one request and returns the answer to be read, and closed.
func (c *client) open(ctx context.Context, method, path string, query url.Values) (io.ReadCloser, error) {
	return c.openWith(ctx, method, path, query, nil)
}

func (c *client) openWith(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
	base, err := url.Parse(*c.endpoint)
	if err != nil || base.Host == "" {
		return nil, &exitError{ExitUsage, fmt.Sprintf("--endpoint %q is not a URL such as http://%s", *c.endpoint, DefaultListen)}
	}
	u := base.JoinPath("/_culvert/", path)
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{} // no proxy: culvert exec sets one for the programs it runs
	response, err := (&http.Client{Transport: transport}).Do(request)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, &exitError{ExitNotRunning, fmt.Sprintf("no region answers on %s: start one with `culvert up`", *c.endpoint)}
	} else if err != nil {
		return nil, &exitError{ExitNotRunning, fmt.Sprintf("ask the region on %s: %v", *c.endpoint, err)}
	}
	if response.StatusCode < 400 {
		return response.Body, nil
	}
	defer response.Body.Close()
	problem, err := readAnswer(response.Body)
	if err != nil {
		return nil, err
	}
	return nil, refusal(response.StatusCode, problem)
}

func refusal(code int, body []byte) error {
	var answer struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Error == "" {
		answer.Error = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", code, body))
	}
	if code == http.StatusNotFound || code == http.StatusBadRequest {
		return &exitError{ExitUsage, answer.Error}
	}
	return &exitError{ExitFailed, answer.Error}
}
