package etcd

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap/zapcore"
)

// An alarm is rung in place of the end of the process: the server's way to say that a file is damaged or a disk
// is full is to log it and panic, on whatever goroutine. Its context ends when it is rung, with what was said as
// the cause.
type alarm struct {
	context context.Context
	ring    context.CancelCauseFunc
}

func newAlarm() *alarm {
	ctx, ring := context.WithCancelCause(context.Background())
	return &alarm{ctx, ring}
}

// error is nil until the alarm is rung.
func (a *alarm) error() error {
	if a.context.Err() == nil {
		return nil
	}
	return fmt.Errorf("write state: %w; start the region again once that is mended", context.Cause(a.context))
}

// OnWrite implements zapcore.CheckWriteHook. It must not return, so the goroutine ends here.
func (a *alarm) OnWrite(e *zapcore.CheckedEntry, fields []zapcore.Field) {
	a.ring(said(e.Message, fields))
	runtime.Goexit()
}

// said makes an error of a log entry.
func said(message string, fields []zapcore.Field) error {
	var b strings.Builder
	b.WriteString(message)
	for _, f := range fields {
		switch {
		case f.Type == zapcore.ErrorType:
			fmt.Fprintf(&b, ": %v", f.Interface)
		case f.Type == zapcore.StringType && f.String != "":
			fmt.Fprintf(&b, " (%s %s)", f.Key, f.String)
		}
	}
	return errors.New(b.String())
}

// start starts a server, or says why it cannot. A server that fails in the middle of it stays where it is.
func start(c *embed.Config, a *alarm) (*embed.Etcd, error) {
	type result struct {
		server *embed.Etcd
		err    error
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				// It goes on without a log that it could not read.
				done <- result{err: errors.New("its log cannot be read")}
			}
		}()
		server, err := embed.StartEtcd(c)
		done <- result{server, err}
	}()
	select {
	case r := <-done:
		return r.server, r.err
	case <-a.context.Done():
		return nil, context.Cause(a.context)
	}
}
