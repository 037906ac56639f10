package quota

import "sync"

// Held counts what callers hold open: bodies being read, polls that wait. Those who
// are slow hold up nobody but themselves. The zero value is ready. Safe for
// concurrent use.
type Held struct {
	mu    sync.Mutex
	all   int
	users map[string]int
}

// Enter makes room for one more, or says which bound was met. After "", Leave
// must follow.
func (b *Held) Enter(user string, limit, perUser int) (full string) {
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
func (b *Held) Leave(user string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if b.users[user]--; b.users[user] == 0 {
		delete(b.users, user)
	}
}

// Now is how many there are.
func (b *Held) Now() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all
}
