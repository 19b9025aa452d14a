// Package dns answers DNS questions as the resolver of a VPC, or of the internet, does.
//
// What a name means is decided by topology.Lookup; this package only speaks the protocol. It keeps nothing
// between questions, asks nobody else, and never opens a socket: it is given its listeners. Who opens them
// inside a network: package network/dataplane; who puts the two together: package region.
package dns
