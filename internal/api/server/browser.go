package server

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
)

// refuseBrowser keeps web pages that the operator happens to look at from calling with the operator's keys, which
// everybody knows. A page can make its own name resolve to this machine: then the name in the request is not ours.
// Or it sends a request to us by its address: then the browser says that it comes from another site. Of those only
// reading objects passes, whose answer the browser does not show to the page; there is no CORS here.
func (s *Server) refuseBrowser(x *exchange) error {
	r := x.call.HTTP
	if x.call.Origin.Door != api.DoorHost || x.web { // what a service gives out is meant for pages, too
		return nil
	}
	if !s.isHostName(hostname(r.Host)) {
		return api.Errorf("AccessDenied", "The name in the Host header is not one of this machine's. Use 127.0.0.1, localhost or the machine's address.").WithStatus(http.StatusForbidden)
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
	if isForeign(r) && (x.call.Service != s.objects || !reads) {
		return api.Errorf("AccessDenied", "Requests from other sites are refused.").WithStatus(http.StatusForbidden)
	}
	return nil
}

// isHostName reports whether a name may lead to the host's door. Addresses and names without a dot cannot be
// anybody else's on the internet.
func (s *Server) isHostName(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost") || host == "host.docker.internal" ||
		isAWSName(host) || s.isOurName(host)
}
