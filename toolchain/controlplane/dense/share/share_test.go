package share

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestOfBuildsOnceForEachKey(t *testing.T) {
	var memo Memo[string, *int]
	var built atomic.Int32
	found := make([]*int, 40)
	var all sync.WaitGroup
	for i := range found {
		all.Go(func() {
			key := []string{"a", "b"}[i%2]
			found[i], _ = memo.Of(key, func() (*int, error) { built.Add(1); return new(int), nil })
		})
	}
	all.Wait()
	if built.Load() != 2 {
		t.Errorf("built %d times, 2 keys", built.Load())
	}
	for i, value := range found {
		if value != found[i%2] {
			t.Errorf("%d has another value than the first of its key", i)
		}
	}
	if found[0] == found[1] {
		t.Error("two keys share a value")
	}
}

func TestWhatCannotBeBuiltIsTriedAnew(t *testing.T) {
	var memo Memo[int, string]
	broken := errors.New("broken")
	if _, err := memo.Of(1, func() (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = memo.Of(1, func() (string, error) { panic("worse") })
		t.Error("the panic was swallowed")
	}()
	if value, err := memo.Of(1, func() (string, error) { return "made", nil }); err != nil || value != "made" {
		t.Errorf("got %q, %v", value, err)
	}
}

func TestNothingIsSharedUntilItIsSaid(t *testing.T) {
	if On() {
		t.Fatal("shared from the start")
	}
	Begin()
	if !On() {
		t.Error("not shared")
	}
}
