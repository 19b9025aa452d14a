package terraform

import "testing"

func TestADualStackNetworkIsAppliedChangedAndDestroyed(t *testing.T) {
	lives(t, "ipv6", "-var=each=false", "-var=out=igw")
}

func TestAVPCGetsAndLosesItsIPv6Block(t *testing.T) {
	lives(t, "ipv6later", "-var=six=true")
}
