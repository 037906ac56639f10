package knobs

import "sync/atomic"

// Live are the settings of a running server. Safe for concurrent use.
type Live struct{ at atomic.Pointer[Settings] }

// NewLive begins with s.
func NewLive(s Settings) *Live {
	l := &Live{}
	l.at.Store(&s)
	return l
}

// Load is what holds now. It must not be changed.
func (l *Live) Load() *Settings { return l.at.Load() }

// Change sets the named knobs, all or none of them, and returns what holds then.
func (l *Live) Change(values map[string]string) (*Settings, error) {
	for {
		old := l.at.Load()
		next, err := old.Apply(values, true)
		if err != nil {
			return nil, err
		}
		if l.at.CompareAndSwap(old, &next) {
			return &next, nil
		}
	}
}
