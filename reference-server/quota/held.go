package quota

import "sync"

// Bodies counts those being read. A turn is in flight only once its body is
// here, so that slow clients hold up nobody but themselves. The zero value is
// ready. Safe for concurrent use.
type Bodies struct {
	mu    sync.Mutex
	all   int
	users map[string]int
}

// Enter makes room for a body, or says which bound was met. After "", Leave
// must follow.
func (b *Bodies) Enter(user string, limit, perUser int) (full string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case perUser > 0 && b.users[user] >= perUser:
		return "user"
	case limit > 0 && b.all >= limit:
		return "all"
	}
	if b.users == nil {
		b.users = map[string]int{}
	}
	b.all++
	b.users[user]++
	return ""
}

// Leave makes room for another.
func (b *Bodies) Leave(user string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if b.users[user]--; b.users[user] == 0 {
		delete(b.users, user)
	}
}

// Reading is how many there are.
func (b *Bodies) Reading() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all
}
