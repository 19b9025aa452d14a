package agree

import (
	"flag"
	"os"
	"testing"

	"github.com/culvert-cloud/culvert/internal/launch"
)

// worlds is how many networks are compared at a time. They mostly wait for packets that do not come.
const worlds = "10"

func TestMain(m *testing.M) {
	os.Exit(launch.Tests(func() int {
		if err := flag.Set("test.parallel", worlds); err != nil {
			panic(err)
		}
		return m.Run()
	}))
}
