// Command culvert is a local AWS region whose VPC network is real. See package program.
package main

import (
	"os"

	"github.com/culvert-cloud/culvert/internal/program"
)

func main() { os.Exit(program.Main()) }
