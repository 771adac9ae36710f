package main

import (
	"testing"
	"time"
)

func TestConnectionsShareTheRate(t *testing.T) {
	now := time.Unix(1000, 0)
	rate := &sharedRate{Rate: 1000}
	// 100 bytes at 1000 a second take 100 ms; whoever comes next waits behind them.
	for turn, want := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond} {
		if got := rate.reserve(100, now); got != want {
			t.Errorf("turn %d: %v instead of %v", turn, got, want)
		}
	}
	// After 150 ms the second has 50 ms to go.
	if got := rate.reserve(100, now.Add(150*time.Millisecond)); got != 150*time.Millisecond {
		t.Errorf("a third: %v", got)
	}
	// An idle link saves nothing up.
	if got := rate.reserve(100, now.Add(time.Hour)); got != 100*time.Millisecond {
		t.Errorf("after an hour: %v", got)
	}
}

func TestNoRateIsNoLimit(t *testing.T) {
	if got := new(sharedRate).reserve(1<<20, time.Unix(1000, 0)); got != 0 {
		t.Errorf("%v", got)
	}
}
