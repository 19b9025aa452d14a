// Package explain says what happens to a flow in a topology: hop by hop, there and back, with the object that
// decided at each hop, AWS's own code where it was denied, and the exact change that would let it pass.
//
// [Explain] is a pure function. It sends no packet and reads no kernel; that its verdict is the kernel's is what
// package network/agree tests. It knows the network only: whether the service then accepts the call is decided
// by policies (package api/policy), and whether anybody listens on a port of an interface is not known here.
//
// # How it walks
//
// A flow starts with its name, if it has one: the resolver may already send it astray. Then a [packet] leaves an
// interface (walk.go): source check, security groups, route, network ACL, and whatever the route leads to,
// which may send it on: a NAT gateway, a middlebox, the internet. Filters that deny are noted and the walk goes
// on, so that one trace shows all there is to repair; a walk that has nowhere to go ends. What arrived is turned
// around and walks back, because network ACLs do not know connections and routes may differ. The first denial is
// the trace's verdict (verdict.go), and from it follow the remedies (remedy.go).
//
// What is missing altogether is made by edits too (editendpoint.go, editnat.go). The id of a new thing stands for itself
// until it is made: $SG_STS is a shell variable in commands and a reference in Terraform (editmade.go). A plan comes
// about step by step: a route to a NAT gateway that is not there is denied, which calls for the gateway, and so on.
//
// [Mend] finds the smallest set of changes that opens a way. A change is an [Edit]: data that can be tried on a
// topology, from which its words, command and Terraform block are made (edit*.go). Denials that only show when
// others are lifted are found by trying, too.
//
// Codes without a prefix are those of AWS's Reachability Analyzer; those with "x:" are ours.
//
// # Review notes
//
//   - Fail closed: whatever the walk does not know is a denial. A new route target or interface type that is not
//     handled must end the walk.
//   - Every check here has its rule in dataplane/linux, and the reverse. Change both, and let network/agree find
//     what was forgotten; if its generator cannot make the case, extend the generator first.
//   - Security groups remember connections, network ACLs do not: replies skip the former and never the latter.
//   - Traffic inside one subnet meets neither route table nor ACL. That is decided by the two interfaces, not by
//     addresses.
//   - An edit's try must do to a topology what the API and Resolve make of it. Package network/agree makes all sets
//     for real; a new kind of edit is added there (fix_test.go).
//   - Texts are pasted into tickets. They name ids, ports and addresses, say what was looked for, and do not guess.
package explain
