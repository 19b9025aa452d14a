package stream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"
)

func TestWhatIsSentArrivesInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 1, 3*maxFrame/2)).Draw(t, "sent")
		var wire bytes.Buffer
		out := New(nil, &wire)
		var want, got []byte
		for _, b := range sent {
			if _, err := out.Writer(Stdout).Write(b); err != nil {
				t.Fatal(err)
			}
			want = append(want, b...)
		}
		in := New(bufio.NewReader(&wire), nil)
		for {
			kind, b, err := in.Receive()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || kind != Stdout {
				t.Fatalf("got %d, %v", kind, err)
			}
			got = append(got, b...)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes arrived of %d", len(got), len(want))
		}
	})
}

func TestWhatIsNoFrameIsRefused(t *testing.T) {
	for name, bytesOf := range map[string][]byte{
		"another kind": {9, 0, 0, 0, 0}, "too long": {byte(Stdout), 0xff, 0, 0, 0},
	} {
		_, _, err := New(bufio.NewReader(bytes.NewReader(bytesOf)), nil).Receive()
		if !errors.Is(err, ErrFrame) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, _, err := New(bufio.NewReader(bytes.NewReader([]byte{byte(Stdout), 0, 0, 0, 5, 1})), nil).Receive(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut off: got %v", err)
	}
}
