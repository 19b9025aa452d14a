package agree

import (
	"os"
	"testing"

	"github.com/culvert-cloud/culvert/internal/launch"
)

func TestMain(m *testing.M) { os.Exit(launch.Tests(m.Run)) }
