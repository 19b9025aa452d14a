// Package calls keeps what was called: one line of JSON a call, in the shape of CloudTrail's records, with the
// statement that decided.
//
// The lines are in the region's data directory, in two files of bounded size; when one is full, the older one goes.
// It never holds what a call carried: no parameters, no bodies, no secrets. Who adds: the front door, after every
// answer (region). Who reads: view/inspect, for culvert calls and culvert policy suggest.
package calls
