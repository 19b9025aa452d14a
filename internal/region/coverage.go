package region

import (
	"fmt"
	"slices"
	"strings"
)

// NotEnforced lists what is accepted through an API and has no effect here. culvert status and the coverage page
// show it.
func NotEnforced() []string {
	return []string{
		"EC2: rules, entries and routes for IPv6 are kept; no IPv6 packet is ever forwarded",
		"EC2: enableNetworkAddressUsageMetrics; DHCP options other than AWS's default",
		"EC2: a NAT gateway does not reset flows that are idle for 350 seconds; the MTU of endpoints is not 8500",
		"IAM, Lambda, CloudWatch Logs: the permission to tag what a call makes, such as iam:TagRole (EC2's is enforced)",
		"Lambda: the processor share that goes with the memory size",
		"S3: encryption at rest (objects are said to be encrypted with AES256, and are not)",
	}
}

// Coverage is the page of what is served: docs/coverage.md.
func (r *Region) Coverage() string {
	var b strings.Builder
	b.WriteString("# Coverage\n\nMade by `go generate ./internal/region`; do not edit. An operation that is not listed answers with an error of AWS's form.\n")
	for _, d := range r.services {
		var names []string
		for _, o := range d.Operations {
			names = append(names, o.Name)
		}
		if d.Name == "s3" {
			names = append(names, r.objectOperations...)
		}
		slices.Sort(names)
		fmt.Fprintf(&b, "\n## %s (%d operations)\n\n%s\n", d.Name, len(names), wrap(names))
	}
	b.WriteString("\n## Accepted, but not enforced\n\n")
	for _, n := range NotEnforced() {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	return b.String()
}

// wrap writes names in lines of a readable length.
func wrap(names []string) string {
	var b strings.Builder
	width := 0
	for i, n := range names {
		if i > 0 {
			b.WriteString(",")
			if width += len(n) + 2; width > 110 {
				b.WriteString("\n")
				width = 0
			} else {
				b.WriteString(" ")
			}
		}
		b.WriteString(n)
	}
	return b.String()
}
