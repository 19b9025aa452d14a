// Package lambda is AWS Lambda's API: functions and their configuration in the state, their code in a store of
// unpacked packages, their place in a VPC, and the way to an invocation.
//
// It decides what is valid and keeps what was configured. It never runs anything: an [Executor] does, and region
// supplies it. It knows no sandbox, no runtime API and no namespace. Versions, aliases, layers and images do not
// exist here and are refused where a call asks for them.
//
// Where to go next: operations.go for what is served, create.go and update.go for the rules of a configuration,
// code.go and unzip.go for packages, invoke.go and queue.go for invocations.
package lambda
