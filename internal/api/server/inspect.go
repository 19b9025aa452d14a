package server

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
)

const inspectPrefix = "/_culvert/"

// isInspection reports whether a request is for the region's own API: at the host door, and not under a name of
// AWS, where the same path is an object's key.
func (s *Server) isInspection(r *http.Request, o api.Origin) bool {
	if o.Door != api.DoorHost || !strings.HasPrefix(r.URL.Path+"/", inspectPrefix) {
		return false
	}
	host := hostname(r.Host)
	return !isAWSName(host)
}

func isAWSName(host string) bool {
	return strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".api.aws")
}

// inspect serves the region's own API, which is not signed. What keeps a web page that the operator happens to
// look at from reading it is the name of the host (a page can make its own name resolve to this machine) and what
// the browser says about where a request comes from.
func (s *Server) inspect(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.config.Inspect == nil:
		http.NotFound(w, r)
	case !s.isOurName(hostname(r.Host)):
		http.Error(w, "This name is not one of the machine's. Use 127.0.0.1 or localhost.", http.StatusForbidden)
	case isForeign(r):
		http.Error(w, "Requests from other sites are refused.", http.StatusForbidden)
	default:
		s.config.Inspect.ServeHTTP(w, r)
	}
}

func (s *Server) isOurName(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback() || slices.Contains(s.config.Hosts, a.String())
	}
	host = strings.ToLower(host)
	return host == "localhost" || host == "aws.test" || strings.HasSuffix(host, ".aws.test") || slices.Contains(s.config.Hosts, host)
}

// isForeign reports whether a browser made the request for a page of another site.
func isForeign(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host == "" || u.Host != r.Host
}
