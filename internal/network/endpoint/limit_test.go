package endpoint

import (
	"io"
	"net"
	"testing"
	"time"
)

func TestOneSourceCannotTakeAllConnections(t *testing.T) {
	l := newLimits(3, 2)
	a, b, elsewhere := source{"vpc-1", "10.0.0.4"}, source{"vpc-1", "10.0.0.5"}, source{"vpc-2", "10.0.0.4"}
	for i, want := range []bool{true, true, false} {
		if l.enter(a) != want {
			t.Errorf("connection %d of a source whose share is two: %v", i+1, !want)
		}
	}
	if !l.enter(elsewhere) {
		t.Error("another network's same address has no share of its own")
	}
	if l.enter(b) {
		t.Error("more than altogether")
	}
	l.leave(a)
	l.leave(a)
	if !l.enter(b) || len(l.count) != 2 {
		t.Errorf("what was left is not free again: %v", l.count)
	}
}

func TestConnectionsTooManyAreClosedAndMakeRoomWhenOthersEnd(t *testing.T) {
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	l := limited{Listener: inner, limits: newLimits(8, 1)}
	accepted := make(chan net.Conn, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp4", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	dial()
	first := <-accepted
	refused := dial()
	_ = refused.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := refused.Read(make([]byte, 1)); err == nil || err != io.EOF && !isReset(err) {
		t.Errorf("the second connection: %v", err)
	}
	first.Close()
	first.Close() // twice counts once
	dial()
	select {
	case <-accepted:
	case <-time.After(5 * time.Second):
		t.Error("no room after the first ended")
	}
}

func isReset(err error) bool {
	e, ok := err.(*net.OpError)
	return ok && !e.Timeout()
}
