package state

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
)

func newStore(t testing.TB, j Journal) *Store {
	t.Helper()
	s, err := Open(Config{Region: "us-west-2", Account: "000000000000", Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAFailedUpdateChangesNothing(t *testing.T) {
	s := newStore(t, nil)
	refused := errors.New("refused")
	revision, err := s.Update(func(tx *Tx) error {
		tx.Put(&resource.VPC{ID: "vpc-1"})
		return refused
	})
	if !errors.Is(err, refused) || revision != 0 {
		t.Errorf("update = %d, %v", revision, err)
	}
	if _, ok := Get[*resource.VPC](s.View(), resource.VPCID("vpc-1")); ok {
		t.Error("a refused change is visible")
	}
}

func TestATransactionReadsItsOwnWrites(t *testing.T) {
	s := newStore(t, nil)
	_, err := s.Update(func(tx *Tx) error {
		a, b := &resource.VPC{ID: "vpc-a"}, &resource.VPC{ID: "vpc-b"}
		tx.Put(a)
		tx.Put(b)
		tx.Delete(a)
		if _, ok := Get[*resource.VPC](tx, a.ID); ok {
			t.Error("a deleted resource is found")
		}
		if got := List[*resource.VPC](tx); len(got) != 1 || got[0] != b {
			t.Errorf("list = %v", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestASnapshotDoesNotChange(t *testing.T) {
	s := newStore(t, nil)
	before := s.View()
	if _, err := s.Update(func(tx *Tx) error { tx.Put(&resource.VPC{ID: "vpc-1"}); return nil }); err != nil {
		t.Fatal(err)
	}
	if n := len(List[*resource.VPC](before)); n != 0 {
		t.Errorf("an old snapshot shows %d VPCs", n)
	}
	if s.View().Revision() != before.Revision()+1 {
		t.Errorf("revision %d after %d", s.View().Revision(), before.Revision())
	}
}

func TestChangedFiresOnceThereIsSomethingNewer(t *testing.T) {
	s := newStore(t, nil)
	changed := s.Changed(s.View().Revision())
	select {
	case <-changed:
		t.Fatal("fired without a change")
	default:
	}
	if _, err := s.Update(func(tx *Tx) error { tx.Put(&resource.VPC{ID: "vpc-1"}); return nil }); err != nil {
		t.Fatal(err)
	}
	<-changed
	<-s.Changed(0) // and at once for who is behind already
}

// refusing is a journal on a full disk.
type refusing struct{}

func (refusing) Load(func(Entry) error) (uint64, error) { return 0, nil }
func (refusing) Append(uint64, []Entry) error           { return errors.New("no space left on device") }

func TestWhatTheJournalRefusesDoesNotBecomeVisible(t *testing.T) {
	s := newStore(t, refusing{})
	if _, err := s.Update(func(tx *Tx) error { tx.Put(&resource.VPC{ID: "vpc-1"}); return nil }); err == nil {
		t.Error("no error")
	}
	if s.View().Revision() != 0 {
		t.Error("a change that was not written is visible")
	}
}

func TestFiveAddressesOfASubnetAreAWSs(t *testing.T) {
	for cidr, want := range map[string][2]string{
		"10.0.1.0/28":  {"10.0.1.4", "10.0.1.14"},
		"10.0.1.0/24":  {"10.0.1.4", "10.0.1.254"},
		"10.0.0.0/16":  {"10.0.0.4", "10.0.255.254"},
		"10.0.1.77/24": {"10.0.1.4", "10.0.1.254"},
	} {
		first, last := UsableAddresses(netip.MustParsePrefix(cidr))
		if first.String() != want[0] || last.String() != want[1] {
			t.Errorf("%s: %s to %s, want %s to %s", cidr, first, last, want[0], want[1])
		}
	}
}

func TestEveryKindSurvivesTheJournal(t *testing.T) {
	for kind, make := range kinds {
		r := make()
		if r.Kind() != kind {
			t.Errorf("kinds[%s] makes a %s", kind, r.Kind())
		}
		b, err := encode(r)
		if err != nil {
			t.Errorf("encode %s: %v", kind, err)
			continue
		}
		if _, err := decode(Entry{Kind: kind, Key: "k", Value: b}); err != nil {
			t.Errorf("decode %s: %v", kind, err)
		}
	}
}
