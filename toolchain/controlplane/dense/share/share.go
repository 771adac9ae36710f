// Package share keeps values that every control plane of a process would build again though they never change.
//
// The files of ../../_patches, which the build puts in the place of upstream functions, import it; it imports nothing of
// upstream's, so they may be in any package. Nothing is shared unless the dense host says so: every other program of the
// file, kube-apiserver included, runs as upstream made it.
package share

import (
	"sync"
	"sync/atomic"
)

var on atomic.Bool

// Begin lets control planes share from now on. It comes before the first of them is made.
func Begin() { on.Store(true) }

// On says whether control planes share.
func On() bool { return on.Load() }

// Memo holds one value for each key. The key must hold all that the value depends on, and nobody may change a value that
// was handed out. The zero Memo is ready to use.
//
// Nothing is ever dropped, so keys must be of a bounded set: names and paths of built-in types, not of users' objects.
type Memo[K comparable, V any] struct {
	mu     sync.Mutex
	values map[K]*slot[V]
}

type slot[V any] struct {
	once  sync.Once
	value V
	err   error
}

// Of gives the value of a key, built by the first who asks; the others wait for it. What cannot be built is tried again
// by the next who asks.
func (m *Memo[K, V]) Of(key K, build func() (V, error)) (V, error) {
	m.mu.Lock()
	found, known := m.values[key]
	if !known {
		if m.values == nil {
			m.values = map[K]*slot[V]{}
		}
		found = &slot[V]{}
		m.values[key] = found
	}
	m.mu.Unlock()
	done := false
	defer func() {
		if !done || found.err != nil { // it panicked, or could not
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.values[key] == found {
				delete(m.values, key)
			}
		}
	}()
	found.once.Do(func() { found.value, found.err = build() })
	done = true
	return found.value, found.err
}
