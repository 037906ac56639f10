package refserver

import (
	"io"
	"net/http"
	"strings"
	"sync"
)

// bodies counts those being read. A turn is in flight only once its body is
// here, so that slow clients hold up nobody but themselves. The zero value is
// ready. Safe for concurrent use.
type bodies struct {
	mu    sync.Mutex
	all   int
	users map[string]int
}

// enter makes room for a body, or says which bound was met. After "", leave
// must follow.
func (b *bodies) enter(user string, limit, perUser int) (full string) {
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

func (b *bodies) leave(user string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if b.users[user]--; b.users[user] == 0 {
		delete(b.users, user)
	}
}

// problemBodies is for a user who sends too many bodies at once.
var problemBodies = &problem{status: http.StatusTooManyRequests, code: "rate-limited", detail: "too many bodies of yours are being read", retry: problemRateLimited.retry}

// readBody reads the body of a turn within its bounds.
func (s *Server) readBody(x *exchange) ([]byte, error) {
	user := x.who.Tenant + "\x00" + x.who.UID
	if full := s.bodies.enter(user, int(x.set.chatMaxBodies), int(x.set.chatMaxBodiesUser)); full != "" {
		s.metrics.rejected["bodies"].Inc()
		if full == "user" {
			return nil, problemBodies
		}
		return nil, shed()
	}
	defer s.bodies.leave(user)
	return readRequest(x.r)
}

func readRequest(r *http.Request) ([]byte, error) {
	ct := r.Header.Get("Content-Type")
	if kind, _, _ := strings.Cut(ct, ";"); !strings.EqualFold(strings.TrimSpace(kind), "application/json") || r.Header.Get("Content-Encoding") != "" {
		return nil, problemType
	}
	if r.ContentLength > maxBody {
		return nil, problemLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, problemSyntax
	}
	if len(body) > maxBody {
		return nil, problemLarge
	}
	return body, nil
}
