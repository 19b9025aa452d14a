// Package lambda is AWS Lambda's API: functions and their configuration in the state, their code in a store of
// unpacked packages, their place in a VPC, and the way to an invocation.
//
// It decides what is valid and keeps what was configured. It never runs anything: an [Executor] does, and region
// supplies it. It knows no sandbox, no runtime API and no namespace. Images do not exist here and are refused where a
// call asks for them.
//
// Where to go next: operations.go for what is served and resources.go for on what; create.go and update.go for the
// rules of a configuration; version.go, alias.go, layer.go, permission.go and provisioned.go for what belongs to a
// function; code.go and unzip.go for packages, download.go for giving them back; invoke.go and invokestream.go for
// invocations, queue.go, eventinvoke.go and destination.go for asynchronous ones; url.go, urlserve.go, urlevent.go and
// urlstream.go for functions' URLs.
package lambda
