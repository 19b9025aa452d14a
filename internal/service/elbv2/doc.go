// Package elbv2 is Elastic Load Balancing, as far as network load balancers for TCP go.
//
// Load balancers, listeners and target groups are rows of the desired state; topology and network/balancer make them
// carry connections. What the region could keep but not enforce is refused: other kinds of load balancers, public
// ones, other protocols. The service never reaches the network; how targets are is told by
// [Config.Health].
package elbv2
