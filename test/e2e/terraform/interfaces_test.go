package terraform

import "testing"

// TestInterfacesAreAttachedAndDetached is the life of an instance that is launched with two interfaces, and of one that
// is given two more and loses one of them.
func TestInterfacesAreAttachedAndDetached(t *testing.T) {
	lives(t, "interfaces", "-var=attached=false", "-var=checked=false")
}
