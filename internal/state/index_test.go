package state_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func TestAnIndexFindsWhatAViewHoldsAndATransactionWrote(t *testing.T) {
	s, err := state.Open(state.Config{Region: "us-west-2", Account: "000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	bySubnet := state.Index[*resource.NetworkInterface]{Name: "subnet", Of: func(n *resource.NetworkInterface) []string { return []string{string(n.SubnetID)} }}
	found := func(r state.Reader, subnet string) string {
		out := ""
		for _, n := range bySubnet.Find(r, subnet) {
			out += n.Key() + " "
		}
		return out
	}
	old := s.View()
	if got := found(old, "a"); got != "" {
		t.Errorf("in an empty view: %s", got)
	}
	if _, err := s.Update(func(tx *state.Tx) error {
		for i := range 4 {
			tx.Put(&resource.NetworkInterface{ID: resource.NetworkInterfaceID(fmt.Sprint("eni-", 4-i)), SubnetID: resource.SubnetID(string(rune('a' + i%2)))})
		}
		if got := found(tx, "a"); got != "eni-2 eni-4 " {
			t.Errorf("in the transaction: %s", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if got := found(s.View(), "b"); got != "eni-1 eni-3 " {
				t.Errorf("in the view: %s", got)
			}
		})
	}
	wait.Wait()
	if got := found(old, "a"); got != "" {
		t.Errorf("the old view changed: %s", got)
	}
}
