// Package cost says what a road from a VPC to an AWS service costs a month on AWS: through a NAT gateway, through
// an interface endpoint, through a gateway endpoint.
//
// It is arithmetic on public list prices, in US dollars and before tax. It asks nobody for prices and reads no
// state; every price has its source beside it in prices.go. The roads are in roads.go, their comparison with the
// traffic from which an endpoint pays is in compare.go.
package cost
