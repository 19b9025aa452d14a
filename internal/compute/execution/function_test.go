package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// order is the event of the function below.
type order struct {
	Do   string
	N    int
	Text string
}

var (
	calls atomic.Int64
	ticks atomic.Int64
)

// handle is a Lambda function that does as it is told.
func handle(_ context.Context, o order) (any, error) {
	calls.Add(1)
	switch o.Do {
	case "echo":
		fmt.Println("says", o.Text)
		return o.Text, nil
	case "count":
		return calls.Load(), nil
	case "error":
		return nil, errors.New(o.Text)
	case "exit":
		os.Exit(o.N)
	case "signal":
		return nil, syscall.Kill(os.Getpid(), syscall.Signal(o.N))
	case "sleep":
		time.Sleep(time.Duration(o.N) * time.Millisecond)
		return "slept", nil
	case "env":
		return os.Environ(), nil
	case "large":
		return json.RawMessage(`"` + strings.Repeat("x", o.N-2) + `"`), nil
	case "write":
		return nil, os.WriteFile("/tmp/kept", []byte(o.Text), 0o600)
	case "read":
		b, err := os.ReadFile("/tmp/kept")
		return string(b), err
	case "tick":
		go func() {
			for range time.Tick(5 * time.Millisecond) {
				ticks.Add(1)
			}
		}()
		return nil, nil
	case "dial":
		c, err := net.Dial("tcp", o.Text)
		if err == nil {
			c.Close()
		}
		return "connected", err
	case "eat":
		var kept [][]byte
		for range o.N {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			kept = append(kept, b)
			time.Sleep(2 * time.Millisecond)
		}
		return len(kept), nil
	case "fill":
		f, err := os.Create("/tmp/big")
		if err != nil {
			return nil, err
		}
		defer f.Close()
		for block := make([]byte, 1<<20); o.N > 0 && err == nil; o.N-- {
			_, err = f.Write(block)
		}
		return nil, err
	case "ticks":
		return ticks.Load(), nil
	}
	return nil, errors.New("unknown order " + o.Do)
}
