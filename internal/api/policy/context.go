package policy

import (
	"strconv"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
)

// PrincipalOf says who the caller is to a policy.
func PrincipalOf(c *api.Caller) Principal {
	switch c.Type {
	case api.Root:
		return Principal{Account: c.Account, ARN: c.ARN, Root: true}
	case api.AssumedRole:
		return Principal{Account: c.Account, ARN: c.ARN, RoleARN: c.RoleARN}
	case api.User:
		return Principal{Account: c.Account, ARN: c.ARN}
	}
	return Principal{Anonymous: true}
}

// Context holds the global condition keys of a call. What the operation adds (tags, prefixes) is the caller's to
// put in; the map is new for each call.
func Context(c *api.Call) map[string][]string {
	keys := map[string][]string{}
	put := func(key, value string) {
		if value != "" {
			keys[key] = []string{value}
		}
	}
	putPrincipal(put, &c.Caller)
	putOrigin(put, &c.Origin)
	if c.Origin.Door == api.DoorEndpoint {
		put("aws:vpceaccount", c.Account)
		put("aws:sourcevpcarn", "arn:aws:ec2:"+c.Region+":"+c.Account+":vpc/"+c.Origin.VPCID)
	}
	now := c.Time.UTC()
	put("aws:currenttime", now.Format(time.RFC3339))
	put("aws:epochtime", strconv.FormatInt(now.Unix(), 10))
	put("aws:requestedregion", c.Region)
	put("aws:securetransport", strconv.FormatBool(c.Origin.Secure))
	put("aws:viaawsservice", "false")
	put("aws:principalisawsservice", "false")
	if c.HTTP != nil {
		put("aws:useragent", c.HTTP.UserAgent())
		put("aws:referer", c.HTTP.Referer())
	}
	return keys
}

// CallerContext holds those of the global condition keys that follow from who calls.
func CallerContext(c *api.Caller) map[string][]string {
	keys := map[string][]string{}
	putPrincipal(func(key, value string) {
		if value != "" {
			keys[key] = []string{value}
		}
	}, c)
	return keys
}

func putPrincipal(put func(key, value string), c *api.Caller) {
	if c.Type == api.Anonymous || c.Type == "" {
		put("aws:principaltype", string(api.Anonymous))
		put("aws:principalaccount", "anonymous")
		put("aws:userid", "anonymous")
		return
	}
	put("aws:principaltype", string(c.Type))
	put("aws:principalaccount", c.Account)
	put("aws:principalarn", c.PrincipalARN())
	put("aws:userid", c.UserID)
	put("aws:username", c.UserName)
	for key, value := range c.SessionKeys {
		put(key, value)
	}
	if c.Type != api.AssumedRole && !c.Temporary {
		return
	}
	// Only calls with temporary credentials have these two. There are no MFA devices here.
	put("aws:multifactorauthpresent", "false")
	if !c.IssuedAt.IsZero() {
		put("aws:tokenissuetime", c.IssuedAt.UTC().Format(time.RFC3339))
	}
}

// putOrigin puts where the call came from. Through an endpoint there is no public source address, so that
// aws:SourceIp is absent; see the VPC guide on endpoint policies.
func putOrigin(put func(key, value string), o *api.Origin) {
	address := ""
	if o.SourceIP.IsValid() {
		address = o.SourceIP.Unmap().String()
	}
	if o.Door != api.DoorEndpoint {
		put("aws:sourceip", address)
		return
	}
	put("aws:vpcsourceip", address)
	put("aws:sourcevpce", o.VPCEndpointID)
	put("aws:sourcevpc", o.VPCID)
}
