package dialog

import "time"

// mostOld is how many elements a commit takes out of a list: the next goes on.
const mostOld = 64

// Hold is a turn in progress: what begin saw and what commit must still find.
type Hold struct {
	id      string
	token   string // of the lease, and of the record
	leased  bool
	since   time.Time
	epoch   int64
	seq     int // of this turn
	born    int64
	list    []string // as begin read it
	lost    bool     // the list must be replaced, not appended to
	turns   []Record
	fresh   bool // the dialog begins with this turn
	skipped int
}

// ID is that of the dialog.
func (h *Hold) ID() string { return h.id }

// Seq is the number of the turn within its epoch.
func (h *Hold) Seq() int { return h.seq }

// Epoch changes when turns of the dialog were lost.
func (h *Hold) Epoch() int64 { return h.epoch }

// Turns are those before this one, oldest first.
func (h *Hold) Turns() []Record { return h.turns }

// Leased says that no other turn of the dialog can be in progress.
func (h *Hold) Leased() bool { return h.leased }

// Fresh says that the dialog begins with this turn.
func (h *Hold) Fresh() bool { return h.fresh }

// Lost says that the turns of the dialog are gone.
func (h *Hold) Lost() bool { return h.lost }

// Skipped is how many elements of the list were no turns.
func (h *Hold) Skipped() int { return h.skipped }

// Start is for a dialog whose id was drawn before its first turn began: where
// nothing was ever stored of it, it begins with this turn.
func (h *Hold) Start() {
	h.fresh = h.fresh || h.lost && len(h.list) == 0
}

// Record is this turn as commit stores it.
func (h *Hold) Record(turnID, textHash, user string, degraded bool, response []byte) *Record {
	return &Record{Epoch: h.epoch, Seq: h.seq, Born: h.born, Token: h.token, TurnID: turnID, TextHash: textHash, Degraded: degraded, User: user, Response: response}
}

// Fresh starts a dialog that cannot exist yet: its id was drawn a moment ago,
// so there is nothing to read and nobody to exclude.
func (s *Store) Fresh(id string) *Hold {
	now := s.now()
	return &Hold{id: id, token: RandomHex(8), since: now, epoch: now.UnixMilli(), born: now.UnixMilli(), seq: 1, fresh: true}
}

// adopt derives what the next commit must look like.
func (h *Hold) adopt(f fold, now time.Time, hard time.Duration) {
	h.list, h.turns, h.skipped = f.list, f.turns, f.skipped
	if n := len(f.turns); n > 0 {
		last := f.turns[n-1]
		h.epoch, h.seq, h.born = last.Epoch, last.Seq+1, last.Born
	}
	if f.lost || len(f.turns) == 0 || now.UnixMilli()-h.born > hard.Milliseconds() {
		h.lost, h.turns = true, nil
		h.epoch, h.seq, h.born = max(now.UnixMilli(), h.epoch+1, f.epoch+1), 1, now.UnixMilli()
	}
}

// trim counts how many of the oldest turns must go for r to fit.
func (h *Hold) trim(r *Record, k Kept) int {
	bytes, drop := r.Size(), len(h.turns)
	for drop > 0 && len(h.turns)-drop+2 <= k.Messages/2 {
		bytes += h.turns[drop-1].Size()
		if bytes > k.Bytes {
			break
		}
		drop--
	}
	return drop
}

// old are the elements of the list that go with the oldest turns. They are taken out
// by what they are: a commit that Redis carries out twice, or late, would find others
// in their places.
func (h *Hold) old(drop int) []string {
	n := 0
	switch {
	case h.lost || drop == 0:
	case drop < len(h.turns):
		n = h.turns[drop].at
	default:
		n = len(h.list)
	}
	return h.list[:min(n, mostOld)]
}
