// Package cost says what a region's network costs a month on AWS, as it is and by other roads: NAT gateways, interface
// endpoints, gateway endpoints.
//
// It is arithmetic on public list prices, in US dollars and before tax, in whole millionths of a dollar. It asks nobody
// for prices and reads no state; every price has its source and date beside it in prices.json. A price that is not
// known is refused. [Assess] reckons a whole region from its [Inventory] (region.go, bill.go, services.go); traffic
// comes with it, or from a file (usage.go). [Compare] reckons one service's roads.
//
// # Review notes
//
//   - Sums are exact: a bill is the sum of its lines, and the bill for data is the sum of the flows' parts.
//   - More traffic never costs less. A new price needs a charge in bill.go, and the property test then covers it.
//   - What is not priced is in leftOut.
package cost
