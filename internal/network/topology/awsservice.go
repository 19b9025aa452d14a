package topology

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// AWSService is a service of AWS that VPC endpoints can lead to.
type AWSService struct {
	Service string   // as in com.amazonaws.us-west-2.ecr.api: ecr.api
	Types   []string // of endpoints, resource.EndpointType...
}

// EndpointServices are AWS's services with endpoints that a region knows, ordered by name. All can be reached; most
// are answered for by nobody here, and every call to those is refused. See the AWS PrivateLink guide, "AWS services
// that integrate with AWS PrivateLink".
func EndpointServices() []AWSService {
	both := []string{resource.EndpointTypeGateway, resource.EndpointTypeInterface}
	out := []AWSService{{"dynamodb", both}, {"s3", both}}
	for _, name := range strings.Fields(interfaceServices) {
		out = append(out, AWSService{name, both[1:]})
	}
	slices.SortFunc(out, func(a, b AWSService) int { return strings.Compare(a.Service, b.Service) })
	return out
}

const interfaceServices = `
	acm-pca application-autoscaling athena autoscaling backup bedrock-runtime cloudformation cloudtrail codebuild config
	ec2 ec2messages ecr.api ecr.dkr ecs elasticfilesystem elasticloadbalancing events execute-api glue kinesis-firehose
	kinesis-streams kms lambda logs monitoring rds sagemaker.api sagemaker.runtime secretsmanager sns sqs ssm ssmmessages
	states sts xray`

// MainName is the name that clients use for a service by default, or one of them if all begin with something of the
// caller's. It has no wildcard.
func MainName(region, service string) string {
	names := PrivateNames(region, service)
	if at := slices.IndexFunc(names, func(n string) bool { return !strings.HasPrefix(n, "*.") }); at >= 0 {
		return names[at]
	}
	return strings.Replace(names[0], "*", "any", 1)
}

// reachableOnly are the public faces of the services that have endpoints and that nobody answers for here.
func reachableOnly(region string, answered []*PublicService) []*PublicService {
	var out []*PublicService
	number := 16 // those below are of services that are answered for
	for _, s := range EndpointServices() {
		if slices.ContainsFunc(answered, func(p *PublicService) bool { return p.Service == s.Service }) {
			continue
		}
		addresses := serviceAddresses(number)
		if s.Service == "dynamodb" {
			addresses = dynamoDBAddresses(region)
		}
		p := publicService(s.Service, addresses, PrivateNames(region, s.Service)...)
		p.ReachableOnly = true
		out = append(out, p)
		number++
	}
	return out
}

// dynamoDBAddresses lie in the blocks of its prefix list, because that can be seen.
func dynamoDBAddresses(region string) []netip.Addr {
	_, blocks := awsPrefixes(region, "dynamodb")
	first := blocks[0].Masked().Addr().As4()
	first[3] += 17
	a := netip.AddrFrom4(first)
	return []netip.Addr{a, a.Next()}
}
