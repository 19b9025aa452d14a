package objects

import (
	"context"
	"net"
	"net/http"
)

// Redial is rt with its own key and another socket.
func Redial(rt http.RoundTripper, path string) http.RoundTripper {
	t := *rt.(*transport)
	t.connect(func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) })
	return &t
}
