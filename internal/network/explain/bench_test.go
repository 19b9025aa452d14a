package explain

import "testing"

// BenchmarkExplain is one question, name included, answered with all its hops and remedies.
func BenchmarkExplain(b *testing.B) {
	n := newNetwork()
	n.internetGateway()
	n.natGateway()
	top := n.resolve(b)
	for b.Loop() {
		if trace := Explain(top, s3); !trace.Reachable {
			b.Fatal(trace)
		}
	}
}
