// Package logs is CloudWatch Logs: log groups in the state, and the events of their streams in a store below.
//
// Events are bulk bytes, so they never enter the state: [Events] keeps them in append-only files (or in memory,
// for a region that is thrown away) and reads them with bounded memory. [Service] joins the two, serves the API
// and is the sink that function executions write to. The package never decides who may do what, and it never
// runs metric filters, subscriptions or queries: operations it does not list do not exist.
//
// Where to go next: operations.go for what is served, events.go for the store, pattern.go for filter patterns.
package logs
