// Package ec2 is the part of EC2 that makes networks: VPCs, subnets, routes, security groups, network ACLs,
// gateways, interfaces, endpoints, prefix lists.
//
// Every handler is a function of a view or of a transaction: it checks everything before it stores anything, and
// never reaches the kernel. What a stored resource does to packets is decided by network/topology and everything
// behind it. A parameter that this region could not enforce is refused, not ignored: IPv6-only
// subnets, dedicated tenancy, routes to devices that do not exist here.
//
// Start at operations.go, which lists what there is; each resource has its file. Types are generated from AWS's
// model (types_gen.go); newer members come from overlay.json.
package ec2
