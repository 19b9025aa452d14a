// Package server is the front door of the region: what happens to a call between its HTTP request and its answer.
//
// Read pipeline.go first: it is the list of steps, in order, and every step is one function below it. A [Server]
// is an http.Handler for every listener, on the host and inside VPCs; through which door a connection came is said
// by the listener, with [WithOrigin], and never by the request.
//
// The package knows no service: it works from service.Definition alone. It keeps nothing: state is in package
// state, and who may do what is decided by the function it is given.
package server
