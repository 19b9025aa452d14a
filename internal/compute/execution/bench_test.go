package execution

import (
	"slices"
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// measure reports the median beside Go's mean.
func measure(b *testing.B, f *fixture, fn *resource.Function, cold bool) {
	b.Helper()
	f.call(b, fn, `{"Do":"count"}`) // what is done once for all functions, such as finding interpreters
	var took []time.Duration
	for b.Loop() {
		if cold {
			b.StopTimer()
			f.Drain(fn.Name)
			b.StartTimer()
		}
		begin := time.Now()
		r := f.call(b, fn, `{"Do":"count"}`)
		took = append(took, time.Since(begin))
		if r.FunctionError != "" || r.Cold != cold {
			b.Fatalf("%s, cold %v", r.Payload, r.Cold)
		}
	}
	slices.Sort(took)
	b.ReportMetric(milliseconds(took[len(took)/2]), "ms-p50")
}

func BenchmarkGoCold(b *testing.B) { f := newFixture(b); measure(b, f, f.goFunction(b), true) }
func BenchmarkGoWarm(b *testing.B) { f := newFixture(b); measure(b, f, f.goFunction(b), false) }

func pythonHello(b *testing.B, f *fixture) *resource.Function {
	write(b, f.dir+"/hello/app.py", "def handler(event, context):\n    return 'hello'\n")
	return function("hello", "python3.9", "app.handler")
}

func BenchmarkPythonCold(b *testing.B) { f := newFixture(b); measure(b, f, pythonHello(b, f), true) }
func BenchmarkPythonWarm(b *testing.B) { f := newFixture(b); measure(b, f, pythonHello(b, f), false) }
