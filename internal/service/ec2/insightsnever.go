package ec2

// NeverExplained lists the explanation codes of the Reachability Analyzer that no analysis here ever has, and why. The
// coverage page shows it.
func NeverExplained() []string {
	return []string{
		"BAD_STATE_ATTACHMENT: what is attached is so at once, or not at all",
		"UNKNOWN_DESTINATION, UNKNOWN_RESOURCE, UNKNOWN_PEERED_SGS: there is one account, in which everything is known",
		"FILTER_AT_DESTINATION_PROTOCOL: nothing on a path changes the protocol, so FILTER_AT_SOURCE_PROTOCOL says it",
		"COMPONENT_FILTER_RESTRICTION_REMOVED_COMPONENT: an analysis can be asked to lead through something (FilterInArns), not around it",
		"IGW_NAT_REFLECTION, REGIONAL_NGW_ROUTE_AZ_RESTRICTION, VPC_BLOCK_PUBLIC_ACCESS_ENABLED: there is no such thing here",
		"codes of transit gateways, virtual private gateways, VPNs, firewalls, ingress route tables, Classic and Gateway Load Balancers: there are none here",
	}
}
