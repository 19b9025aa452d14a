// Package demo tells the whole story in one run: a private function that cannot reach S3, why, and what mends it.
//
// It is a client like any other. It speaks to a region over HTTP, signs its calls, and reads what the region
// says of itself from the inspect API; it has no way around the network it shows. Each stage has an end that
// it must come to, and the demo fails if one does not. The function that it deploys by default is this very
// program (see bootstrap.go).
package demo
