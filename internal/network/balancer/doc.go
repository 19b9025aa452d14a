// Package balancer carries connections to network load balancers on to their targets.
//
// It listens in the network at the interfaces of load balancers and of the interface endpoints that lead to them,
// chooses a healthy target, connects to it from the load balancer's interface, and passes bytes both ways. So the
// target sees the load balancer's address, groups and network ACLs and routes apply to the second leg as to any
// connection, and an endpoint's VPC and the load balancer's have no way to each other but this one. Targets are
// tried by connecting, from every interface that may have to.
//
// It reads topologies and keeps nothing; it never decides what is accepted or permitted (service/ec2 does, and
// package topology leaves out what is not). A connection is accepted before its target is: where a target cannot be
// reached the client sees a reset, not a refusal.
package balancer
