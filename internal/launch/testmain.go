package launch

import (
	"context"
	"flag"
	"fmt"
	"os"
)

// Tests is what a TestMain of a package with kernel tests calls: it runs the tests inside, as root or as an
// ordinary user, in the same way as the program itself. Where namespaces are forbidden it says so and ends
// well, except in CI (CULVERT_CI=1), where a skipped kernel test is a failure. Its result is an exit status.
func Tests(run func() int) int {
	flag.Parse()
	if err := Reexec(context.Background()); err != nil {
		fmt.Fprintf(os.Stderr, "kernel tests skipped: %v\n", err)
		if os.Getenv("CULVERT_CI") != "" {
			return 1
		}
		return 0
	}
	return run()
}
