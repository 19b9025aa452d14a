package main

import (
	"context"
	"fmt"
	"strings"
)

// An attack tries to get through one boundary. It says what stopped it, or what came through.
type attack struct {
	name string
	try  func(context.Context, event) (stopped string, through error)
}

// through is what an attack that should have been stopped reports.
func through(format string, args ...any) (string, error) { return "", fmt.Errorf(format, args...) }

// attackAll tries every attack of a kind and says of each how it went, a line each.
func attackAll(ctx context.Context, e event) (string, error) {
	kinds := map[string][]attack{"sandbox": sandboxAttacks(), "network": networkAttacks(), "front door": doorAttacks(), "greed": greedyAttacks()}
	attacks := kinds[e.Attack]
	if attacks == nil {
		return "", fmt.Errorf("no attacks of the kind %q", e.Attack)
	}
	var report []string
	for _, a := range attacks {
		stopped, err := a.try(ctx, e)
		if err != nil {
			report = append(report, fmt.Sprintf("%s: GOT THROUGH: %v", a.name, err))
			continue
		}
		report = append(report, fmt.Sprintf("%s: held: %s", a.name, stopped))
	}
	return strings.Join(report, "\n"), nil
}
