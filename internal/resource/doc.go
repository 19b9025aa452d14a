// Package resource holds the nouns: one struct for each thing a user can create in a region.
//
// Values are plain data and are immutable once stored: to change one, copy it (Clone), change the copy and
// put it back in a transaction. The package knows nobody: no protocol, no kernel, no state. To see how they
// are stored, read package state; to see how they become a network, read package network/topology.
package resource
