package mockllm

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// OwnerHeader names who arms the mock, on requests that change something. While a
// configuration on borrowed time is an owner's, another is refused.
const OwnerHeader = "Mock-Owner"

const mostOwner = 200 // bytes of a name

// lease is whose the mock is. Safe for concurrent use; the zero lease is nobody's.
type lease struct {
	mu    sync.Mutex
	owner string
	until time.Time
}

// held gives the owner and for how much longer; empty: nobody.
func (l *lease) held() (owner string, left time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if left = time.Until(l.until); l.owner == "" || left <= 0 {
		return "", 0
	}
	return l.owner, left
}

// take makes the mock an owner's for a time; nobody's with neither.
func (l *lease) take(owner string, ttl time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if owner == "" || ttl <= 0 {
		l.owner = ""
		return
	}
	l.owner, l.until = owner, time.Now().Add(ttl)
}

// owned lets pass who owns the mock, and everybody while nobody does.
func (s *Server) owned(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get(OwnerHeader)
		if len(given) > mostOwner {
			refuse(w, http.StatusBadRequest, fmt.Errorf("%s: at most %d bytes", OwnerHeader, mostOwner))
			return
		}
		if owner, left := s.lease.held(); owner != "" && owner != given {
			refuse(w, http.StatusConflict, fmt.Errorf("armed by %s for another %s: wait until it ends, or send its name as %s to take it over", owner, left.Round(time.Second), OwnerHeader))
			return
		}
		next(w, r)
	}
}

// deleteOwner ends the ownership; what was armed stays for its time.
func (s *Server) deleteOwner(w http.ResponseWriter, _ *http.Request) {
	s.lease.take("", 0)
	w.WriteHeader(http.StatusNoContent)
}

// getOwner tells whose the mock is.
func (s *Server) getOwner(w http.ResponseWriter, _ *http.Request) {
	owner, left := s.lease.held()
	if owner == "" {
		refuse(w, http.StatusNotFound, errors.New("nobody owns this mock"))
		return
	}
	reply(w, http.StatusOK, map[string]any{"owner": owner, "ttl": left.Round(time.Millisecond).String()})
}
