// Package flowlog makes AWS's flow log records out of what interfaces saw: which fields there are and what a format
// may say, records of a time, and how they are written.
//
// It is pure: it asks neither the kernel nor the state, and delivers nothing. network/flow says what interfaces saw;
// package region gathers it and delivers the records.
package flowlog
