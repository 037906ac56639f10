package load

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// sessions knows whose dialog an id is, and what became of the server's sessions
// in all. It forgets old ids where it has to: an id it does not know belongs to
// nobody. Safe for concurrent use.
type sessions struct {
	seed  maphash.Seed
	mu    sync.Mutex
	owned [knownDialogs]owned

	named   atomic.Bool // an answer named its dialog
	unnamed atomic.Bool // and one did not
	changed atomic.Bool // a dialog went on under another id
	cookie  atomic.Bool // an answer set a cookie
	logins  loginTally
}

type owned struct {
	id uint64 // its hash, 0: none
	by int64
}

// knownDialogs is how many ids are known at most.
const knownDialogs = 1 << 15

func newSessions() *sessions { return &sessions{seed: maphash.MakeSeed()} }

// place is where an id's owner is noted.
func (s *sessions) place(id []byte) (*owned, uint64) {
	h := maphash.Bytes(s.seed, id) | 1
	return &s.owned[h>>1%knownDialogs], h
}

// ofAnother tells whether id is known to be that of another conversation than k.
func (s *sessions) ofAnother(id []byte, k int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, h := s.place(id)
	return at.id == h && at.by != k
}

// claim notes that id is conversation k's, unless it is another's already.
func (s *sessions) claim(id []byte, k int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, h := s.place(id); at.id != h {
		*at = owned{h, k}
	}
}

// heard notes what an answer says of the session of conversation k, which was
// asked under the id sent.
func (s *sessions) heard(r *driver.Reply, sent []byte, k int64) {
	if r.Cookie && !s.cookie.Load() {
		s.cookie.Store(true)
	}
	if r.LoggedIn {
		s.logins.add(r)
	}
	if r.Reason != driver.Complete || r.Status >= 300 {
		return
	}
	switch {
	case len(r.DialogID) == 0:
		s.unnamed.Store(true)
		return
	case len(sent) == 0:
		s.claim(r.DialogID, k)
	case string(sent) != string(r.DialogID):
		s.claim(r.DialogID, k)
		s.changed.Store(true)
	}
	s.named.Store(true)
}

// incidents are what a reader has to know of the sessions, each once; named tells
// whether the scenario says where answers name their dialog.
func (s *sessions) incidents(named bool) (list []measure.Incident) {
	note := func(code reason.Code) {
		list = append(list, measure.Incident{Kind: measure.Sessions, What: reason.New(code)})
	}
	if named && !s.named.Load() && s.unnamed.Load() {
		note(reason.DialogNeverNamed)
	}
	if s.changed.Load() {
		note(reason.DialogChangesID)
	}
	if s.cookie.Load() {
		note(reason.CookieIgnored)
	}
	if what, some := s.logins.told(); some {
		list = append(list, measure.Incident{Kind: measure.Sessions, What: what})
	}
	return list
}

// loginTally counts logins that went well, and what they took.
type loginTally struct{ n, again, total, slowest atomic.Int64 }

func (l *loginTally) add(r *driver.Reply) {
	l.n.Add(1)
	if r.Renewed {
		l.again.Add(1)
	}
	took := int64(r.Login)
	l.total.Add(took)
	for most := l.slowest.Load(); took > most && !l.slowest.CompareAndSwap(most, took); most = l.slowest.Load() {
	}
}

func (l *loginTally) told() (what reason.Reason, some bool) {
	n := l.n.Load()
	if n == 0 {
		return what, false
	}
	mean := time.Duration(l.total.Load() / n).Round(time.Microsecond)
	return reason.New(reason.LoginsMade, n, l.again.Load(), mean, time.Duration(l.slowest.Load()).Round(time.Microsecond)), true
}
