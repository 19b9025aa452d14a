// Package linux makes a topology real with network namespaces, veth pairs, routes and nftables.
//
//	                 internet: public service addresses on lo
//	                    |
//	                  igw0   1:1 translation in the router
//	                    |
//	gateway endpoint  router of a VPC: every packet between two
//	(owns its    gwe1-+    interfaces is forwarded here, so the
//	prefixes)         |    rules see both interfaces by name
//	                 e1, e2, ...
//	                  |   |
//	                eth0 eth0   one namespace for each interface
//	                  |
//	                s1, s2: shared seats, translated to eth0's address
//
// A packet's way through the router: source_check (is it the interface's own address), choose_table (mark by
// subnet), igw_in (translate), route, groups_egress, acl_egress, nowhere, acl_ingress, destination_check,
// groups_ingress, igw, igw_out (translate). Accepting in one stage means to go on with the next; what no stage
// knows is dropped. Nothing is ever refused with an answer: what may not pass vanishes.
//
// IPv6 goes the same way in chains of its own (rules6.go), without translation, and out by eigw0, too, where nothing
// begins outside. Links speak it only where somebody has an address (ipv6.go).
//
// The package never makes a link, a route or a translation that touches the host's namespace, keeps nothing
// on disk and pins nothing: when the process dies, the kernel removes everything. Start reading at plan.go,
// which is pure; driver.go has the methods.
//
// Review notes. A change must not break these:
//   - Both group stages and the destination check have policy drop: an interface in no set passes nothing.
//   - A verdict is the last part of a rule; what stands behind a jump in the same rule never runs.
//   - Rules of a VPC change in one transaction, or behind the closed guard.
//   - New links come before the rules that know them, and rules go before the links.
//   - Every neighbour is permanent and no address has a connected route: nothing sends ARP.
//   - A new namespace copies the host's IPv4 settings: set every one that matters.
//   - Wait for a link's operational state before it is reported as made.
//   - Work in another namespace is done by package netns, never by a library's own switch.
package linux
