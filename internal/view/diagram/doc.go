// Package diagram draws the live network: from a topology to a picture with a place for everything, and from that
// to SVG, Mermaid, DOT and JSON.
//
// [Draw] is a pure function and knows the grammar of VPCs, which no general layout engine does: Region > VPC >
// availability zones side by side > public subnets over private ones > functions and interfaces on the left,
// NAT gateways and endpoints on the right; internet gateways and gateway endpoints on the VPC's border; services
// outside, on the right. Edges are what package explain found, never a guess from names. The same input gives
// the same bytes.
//
// It reads no state, no kernel and no clock. What is drawn is decided in build.go, which edges in flows.go, the
// overlay of one path in path.go; places are given in layout.go, ways in route.go; the writers follow.
//
// # Review notes
//
//   - Cards stand in columns, and edges run in the gutters between columns and in one horizontal gutter between
//     the public and the private row. That is why no edge can cross a card; a new kind of card needs a column.
//   - A gutter has one lane for each target, so that lines that meet lead to the same place.
//   - Text is measured by the widest of the usual fonts. A card grows until its text fits.
package diagram
