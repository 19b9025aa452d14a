package terraform

import "testing"

func TestAConnectionNotificationIsChanged(t *testing.T) {
	lives(t, "notification", `-var=events=["Connect"]`, "-var=topic=second")
}
