package region

import (
	_ "embed" // for the names of operations
	"fmt"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/ec2"
	"github.com/culvert-cloud/culvert/internal/view/inspect"
)

// NotEnforced lists what is accepted through an API and has no effect here. culvert status and the coverage page
// show it.
func NotEnforced() []string {
	return []string{
		"EC2: instances show this machine's programs, whatever the image; a user data script runs as ec2-user without privileges; the disk is memory, empty after a stop, and volumes are only said to exist",
		"EC2: processors, credits, monitoring, placement and the hop limit of the metadata service of instances; key pairs are kept, and nobody listens for SSH",
		"EC2: enableNetworkAddressUsageMetrics; the DHCP options ntp-servers, netbios-name-servers and netbios-node-type; a VPC without DHCP options has Amazon's resolver all the same",
		"EC2: the resolver does not drop what is beyond 1,024 packets a second of an interface",
		"EC2: the MTU of endpoints is not 8500",
		"EC2: policies of endpoints to services that the region does not have are kept; their packets arrive, and every call is refused with UnknownService",
		"EC2: connection notifications of endpoints and endpoint services are kept and never sent: there is no SNS",
		"EC2: permissions of endpoint services (there is one account, and an owner's principals may always use a service)",
		"EC2: the fields sublocation-*, ecs-*, reject-reason, resource-id and encryption-status of flow logs are always \"-\"; their records come when the time that they cover is over, not minutes later",
		"ElasticLoadBalancing: instance targets see the load balancer's address, not the client's, which AWS preserves unless told not to",
		"ElasticLoadBalancing: the deregistration delay (connections to a deregistered target go on until they end)",
		"Lambda, CloudWatch Logs: the permission to tag what a call makes, such as lambda:TagResource (those of EC2 and IAM are enforced)",
		"IAM: conditions on keys that are never set here, which are then absent from every request; the coverage page lists them",
		"S3: lifecycle rules (nothing expires, moves or is aborted); CORS rules (pages of other sites are never let in)",
		"Lambda: the processor share that goes with the memory size; how much code an account may keep",
		"Lambda: of PutProvisionedConcurrencyConfig the time that AWS takes (environments start at once, as many as the machine can)",
		"S3: encryption at rest (objects are said to be encrypted with AES256, and are not)",
	}
}

//go:generate go run -C ../../tools ./apigen -names ../internal/region/operations.txt

//go:embed operations.txt
var modelled string

// served says which operations of AWS's services are implemented, and which are refused.
func (r *Region) served() []inspect.Service {
	known := map[string][]string{}
	for line := range strings.Lines(modelled) {
		if name, operations, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, "#") {
			known[name] = strings.Fields(operations)
		}
	}
	var out []inspect.Service
	for _, d := range r.services {
		s := inspect.Service{Name: d.Name, Implemented: []string{}, Refused: []string{}, NotEnforced: notEnforcedBy(d.Name)}
		for _, o := range d.Operations {
			s.Implemented = append(s.Implemented, o.Name)
		}
		if d.Name == "s3" {
			s.Implemented = append(s.Implemented, r.objectOperations...)
		}
		slices.Sort(s.Implemented)
		for _, name := range known[d.Name] {
			if _, ok := slices.BinarySearch(s.Implemented, name); !ok {
				s.Refused = append(s.Refused, name)
			}
		}
		out = append(out, s)
	}
	return out
}

// notEnforcedBy is what NotEnforced says of one service.
func notEnforcedBy(name string) []string {
	out := []string{}
	for _, n := range NotEnforced() {
		titles, what, _ := strings.Cut(n, ": ")
		for title := range strings.SplitSeq(titles, ", ") {
			if strings.ToLower(strings.TrimPrefix(title, "CloudWatch ")) == name {
				out = append(out, what)
			}
		}
	}
	return out
}

// refusal is how a service answers for an operation that it does not have here.
func refusal(p service.Protocol) string {
	switch p {
	case service.EC2Query, service.AWSQuery:
		return "400 InvalidAction"
	case service.RESTXML:
		return "501 NotImplemented, as S3 does"
	case service.RESTJSON:
		return "404 UnknownOperationException"
	}
	return "400 UnknownOperationException"
}

// Coverage is the page of what is served: docs/coverage.md.
func (r *Region) Coverage() string {
	var b strings.Builder
	b.WriteString("# Coverage\n\nMade by `go generate ./internal/region`; do not edit. Each operation of AWS's models is implemented or refused. `culvert status --json` says the same.\n")
	for i, s := range r.served() {
		fmt.Fprintf(&b, "\n## %s (%d operations)\n\n%s\n", s.Name, len(s.Implemented), wrap(s.Implemented))
		if len(s.Refused) > 0 {
			fmt.Fprintf(&b, "\n<details><summary>%d are refused with %s</summary>\n\n%s\n\n</details>\n", len(s.Refused), refusal(r.services[i].Protocol), wrap(s.Refused))
		}
	}
	b.WriteString(conditionKeysPage())
	b.WriteString("\n## Accepted, but not enforced\n\n")
	for _, n := range NotEnforced() {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	b.WriteString("\n## Explanation codes of the Reachability Analyzer that no analysis has\n\n")
	for _, n := range ec2.NeverExplained() {
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
