// Package agree holds no code, only a test: what package explain says of a flow is what the kernel does with it.
//
// The test makes random networks as desired state, resolves them, applies them with dataplane/linux, sends real
// packets, and compares every outcome with explain's verdict; then it changes the state a little and compares
// again. Where the two differ, one of them is wrong. To run more of it:
//
//	make agree N=10000
//	go test ./internal/network/agree -agree.topologies 100 -agree.seed 1
//
// A network in which the two differ is made as small as it goes and kept in testdata/kept, from where every later test
// makes it again (kept_test.go).
//
// Not generated, because the two are known to differ: IPv4 packets that pass a middlebox and then an internet gateway.
// In AWS the gateway translates them; here connection tracking has decided at the first pass not to. Zones of
// connection tracking do not help: the answer does not come back through the middlebox, so the first pass would
// see half a connection, which it takes for an invalid one. What would help is to translate addresses one for one
// without connection tracking, on the internet's side of the wire, with the headers inside of ICMP errors.
//
// Load balancers and endpoint services are carried by package balancer, as in a region. Not compared: the health of
// targets (each is tried once, so that a load balancer takes one that it reaches), which of several targets is taken,
// anything but TCP to a load balancer, the PROXY header, and load balancers behind load balancers. Nobody chooses the
// port that a load balancer sends from: where explain says that only some ports pass, either may happen.
//
// What explain.Mend advises is made for real, too, whole and with each part left out (fix_test.go).
//
// A new kind of resource that changes the network must be generated here (generate_test.go); that the test would
// notice is shown by planted faults (fault_test.go).
package agree
