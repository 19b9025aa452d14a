package server

import (
	"net/netip"
	"testing"

	"github.com/culvert-cloud/culvert/internal/api"
)

// Everybody knows the operator's keys, so a web page can sign with them.
func TestAWebPageCannotCallAsTheOperator(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Hosts = []string{"culvert.example.org"} })
	describe := func(host string, header map[string]string) call {
		c := form("Action", "DescribeVpcs")
		c.host = host
		for name, value := range header {
			c.header[name] = value
		}
		return c
	}
	for _, host := range []string{"", "127.0.0.1:4566", "localhost", "LOCALHOST.:4566", "ec2.us-west-2.amazonaws.com", "culvert", "culvert.example.org", "192.0.2.7"} {
		f.want(t, describe(host, nil), 200, "")
	}
	for _, host := range []string{"evil.example.com", "evil.example.com:4566", "localhost.evil.example.com", "127.0.0.1.nip.io"} {
		f.want(t, describe(host, nil), 403, "Host header")
	}
	for _, header := range []map[string]string{
		{"Origin": "http://evil.example.com"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
	} {
		f.want(t, describe("", header), 403, "other sites")
		f.want(t, call{service: "s3", method: "PUT", path: "/b/k", header: header}, 403, "other sites")
		f.want(t, call{service: "s3", method: "POST", path: "/b/k", header: header}, 403, "other sites")
		f.want(t, call{service: "s3", method: "GET", path: "/b/k", header: header}, 200, "")
	}
}

func TestTheOperatorsKeysOpenTheHostsDoorOnly(t *testing.T) {
	f := newFixture(t)
	f.want(t, form("Action", "GetCallerIdentity").as("sts", rootKey), 200, ":root")
	public := api.Origin{Door: api.DoorInternet, Service: "sts", SourceIP: netip.MustParseAddr("198.51.100.7")}
	for _, o := range []api.Origin{public, endpointOrigin("sts")} {
		f.through(t, o)
		f.want(t, form("Action", "GetCallerIdentity").as("sts", rootKey), 403, "InvalidClientTokenId")
		f.want(t, form("Action", "GetCallerIdentity").as("sts", roleKey), 200, roleARN)
	}
}

// Bodies are held in memory; what functions send must leave room for the operator.
func TestFunctionsCannotHoldAllTheRoomForBodies(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.MaxBuffered = 1500 })
	invoke := call{service: "lambda", key: roleKey, path: "/2015-03-31/functions/f/invocations", body: string(make([]byte, 800))}
	f.want(t, invoke, 403, "AccessDenied")
	f.through(t, endpointOrigin("lambda"))
	f.want(t, invoke, 503, "ServiceUnavailable")
	invoke.body = invoke.body[:700]
	f.want(t, invoke, 403, "AccessDenied")
	f.want(t, invoke, 403, "AccessDenied") // what was held is free again
}
