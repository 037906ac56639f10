package dialog

import "sync"

// recent keeps what was put in lately, by key: the last half entries for certain,
// twice as many at most. Safe for concurrent use.
type recent[V any] struct {
	half       int
	mu         sync.Mutex
	young, old map[string]V
}

func newRecent[V any](half int) *recent[V] {
	return &recent[V]{half: half, young: map[string]V{}}
}

func (r *recent[V]) get(key string) (v V, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.look(key)
}

func (r *recent[V]) look(key string) (v V, ok bool) {
	if v, ok = r.young[key]; !ok {
		v, ok = r.old[key]
	}
	return v, ok
}

// change replaces what is kept under a key by what f makes of it.
func (r *recent[V]) change(key string, f func(V) V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, _ := r.look(key)
	if _, young := r.young[key]; !young && len(r.young) >= r.half {
		r.young, r.old = map[string]V{}, r.young
	}
	r.young[key] = f(before)
}

func (r *recent[V]) drop(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.young, key)
	delete(r.old, key)
}
