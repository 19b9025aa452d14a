package flow

import (
	"slices"
	"testing"
)

func TestTrafficOfOneKindAddsUp(t *testing.T) {
	a := NewTotals()
	a.Add(Traffic{ENI: "eni-2", Via: "local", BytesOut: 1, PacketsOut: 1}, Traffic{ENI: "eni-1", Via: "nat:nat-1", Service: "s3", BytesOut: 100, PacketsOut: 2})
	a.Add(Traffic{ENI: "eni-1", Via: "nat:nat-1", Service: "s3", BytesIn: 7, PacketsIn: 1}, Traffic{ENI: "eni-1", Via: "nat:nat-1", Service: "sts", BytesIn: 9})
	want := []Traffic{
		{ENI: "eni-1", Via: "nat:nat-1", Service: "s3", BytesOut: 100, PacketsOut: 2, BytesIn: 7, PacketsIn: 1},
		{ENI: "eni-1", Via: "nat:nat-1", Service: "sts", BytesIn: 9},
		{ENI: "eni-2", Via: "local", BytesOut: 1, PacketsOut: 1},
	}
	if got := a.All(); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
