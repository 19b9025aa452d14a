package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func TestABodyThatStandsStillIsGivenUp(t *testing.T) {
	got := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, _ = bePatient(w, r, 50*time.Millisecond)
		_, err := io.ReadAll(r.Body)
		got <- err
	}))
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2147483648\r\n\r\nx"); err != nil {
		t.Fatal(err)
	}
	if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want %v", err, os.ErrDeadlineExceeded)
	}
}

func TestWhoExpectsToBeToldToContinueIsRefusedAtOnce(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, body := bePatient(w, r, time.Minute)
		(&answer{ResponseWriter: w, body: body}).WriteHeader(http.StatusForbidden)
	}))
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "HTTP/1.1 403" {
		t.Errorf("got %q, %v; want HTTP/1.1 403", answer, err)
	}
}

// Many clients send everything before they look for an answer.
func TestWhoSendsWithoutWaitingHearsTheRefusal(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, body := bePatient(w, r, time.Minute)
		(&answer{ResponseWriter: w, body: body}).WriteHeader(http.StatusForbidden)
	}))
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	const size = 20 << 20
	if _, err := fmt.Fprintf(c, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "HTTP/1.1 403" {
		t.Errorf("got %q, %v; want HTTP/1.1 403", answer, err)
	}
}

// Time that the handler takes is not the caller's, and a connection lives on after a body.
func TestAMovingBodyAndASlowHandlerAreGivenTheirTime(t *testing.T) {
	const patience = 100 * time.Millisecond
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, _ = bePatient(w, r, patience)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		time.Sleep(3 * patience)
		if err := r.Context().Err(); err != nil {
			t.Errorf("after the body: got %v, want a call that goes on", err)
		}
		_, _ = w.Write(body)
	}))
	defer s.Close()
	for range 2 {
		from, to := io.Pipe()
		go func() {
			for range 8 {
				_, _ = io.WriteString(to, "x")
				time.Sleep(patience / 4)
			}
			_ = to.Close()
		}()
		res, err := s.Client().Post(s.URL, "text/plain", from)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || string(body) != strings.Repeat("x", 8) {
			t.Errorf("got %q, %v", body, err)
		}
		_ = res.Body.Close()
	}
}
