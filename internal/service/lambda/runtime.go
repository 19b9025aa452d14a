package lambda

import (
	"slices"
	"strings"
)

// runtimes are those whose functions can be made, newest of a family first. python3.9 is one although AWS stopped
// making functions with it around the turn of 2025: configurations that were written before still use it.
func runtimes() []string {
	return []string{
		"python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9",
		"nodejs24.x", "nodejs22.x", "nodejs20.x",
		"provided.al2023", "provided.al2",
	}
}

// foreignRuntimes are AWS's further runtimes, for which there is no bootstrap here.
func foreignRuntimes() []string {
	return []string{
		"java25", "java21", "java17", "java11", "java8.al2", "dotnet10", "dotnet8",
		"ruby4.0", "ruby3.4", "ruby3.3", "ruby3.2",
	}
}

// retiredRuntimes are those AWS no longer makes or updates functions with.
func retiredRuntimes() []string {
	return []string{
		"python3.8", "python3.7", "python3.6", "python2.7",
		"nodejs18.x", "nodejs16.x", "nodejs14.x", "nodejs12.x", "nodejs10.x", "nodejs8.10", "nodejs6.10", "nodejs4.3", "nodejs4.3-edge", "nodejs",
		"java8", "dotnet7", "dotnet6", "dotnet5.0", "dotnetcore3.1", "dotnetcore2.1", "dotnetcore2.0", "dotnetcore1.0",
		"ruby2.7", "ruby2.5", "go1.x", "provided",
	}
}

func checkRuntime(name string) error {
	switch {
	case slices.Contains(runtimes(), name):
		return nil
	case slices.Contains(foreignRuntimes(), name):
		return unsupported("the runtime " + name + ": it runs python, nodejs and provided runtimes")
	case slices.Contains(retiredRuntimes(), name):
		return invalid("The runtime parameter of %s is no longer supported for creating or updating AWS Lambda functions. "+
			"We recommend you use a supported runtime while creating or updating functions.", name)
	}
	all := append(runtimes(), foreignRuntimes()...)
	return invalid("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN",
		name, strings.Join(all, ", "))
}

// agedRuntime reports whether AWS would not make a function with a runtime any more, though it is made here.
func agedRuntime(name string) bool { return name == "python3.9" }

// architecture is the name that Lambda has for the machine's architecture.
func architecture(goarch string) string {
	if goarch == "amd64" {
		return "x86_64"
	}
	return goarch
}
