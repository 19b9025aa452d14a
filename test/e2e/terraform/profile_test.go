package terraform

import "testing"

func TestAnInstanceChangesItsProfile(t *testing.T) {
	lives(t, "profile", "-var=role=second")
}

func TestAnInstanceLosesItsProfile(t *testing.T) {
	lives(t, "profile", "-var=profile=false")
}
