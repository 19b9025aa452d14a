// Package flow remembers what became of packets: what the data plane says it dropped, put into the words of
// network/explain, the latest few thousand of them.
//
// It never asks the kernel and changes nothing; network/dataplane says what it is given, view/inspect hands on
// what it knows.
package flow
