package dialog

import "slices"

const (
	rememberDialogs = 8192 // of which answers are kept here, at least
	rememberTurns   = 3    // of each
	rememberTails   = 65_536
	rememberErased  = 65_536
)

// answered is a turn that was answered here a short time ago.
type answered struct {
	turnID, hash string
	response     []byte
}

// Remember keeps what a turn was answered, so that the same turn sent again gets
// the same bytes while Redis is away, or when it has others: the reply to the
// commit was lost, and the caller was told that nothing is kept.
func (s *Store) Remember(id, turnID, hash string, response []byte) {
	s.answers.change(id, func(turns []answered) []answered {
		if n := len(turns) - rememberTurns + 1; n > 0 {
			turns = turns[n:]
		}
		return append(slices.Clip(turns), answered{turnID, hash, response})
	})
	if s.Gone(id) {
		s.answers.drop(id) // erased meanwhile: whoever erases notes that first, and drops then
	}
}

// Recall is what Remember was told of a turn; nil: nothing, or no longer. ErrReused:
// the turn had another text.
func (s *Store) Recall(id, turnID, hash string) ([]byte, error) {
	turns, _ := s.answers.get(id)
	for i := range turns {
		if turns[i].turnID == turnID {
			if turns[i].hash != hash {
				return nil, ErrReused
			}
			return turns[i].response, nil
		}
	}
	return nil, nil
}

// tail is where a dialog stood after a commit of this process. It is kept apart
// from Redis: a replica that takes over without the last second has lost the end of
// the list and whatever was written beside it.
type tail struct {
	epoch int64
	seq   int
}

// committed notes how far a dialog has come.
func (s *Store) committed(id string, r *Record) {
	s.tails.change(id, func(t tail) tail {
		if r.Epoch > t.epoch || r.Epoch == t.epoch && r.Seq > t.seq {
			return tail{r.Epoch, r.Seq}
		}
		return t
	})
}

// whole marks a list as lost that ends before what was committed here when it was
// read.
func (t tail) whole(f *fold) {
	f.epoch = t.epoch
	if n := len(f.turns); n > 0 {
		last := &f.turns[n-1]
		f.lost = f.lost || last.Epoch < t.epoch || last.Epoch == t.epoch && last.Seq < t.seq
	}
}
