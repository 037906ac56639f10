// Package journal keeps the books of a mock LLM: one record per attempt, exact
// counters and histograms since the epoch, and what they tell about the client.
package journal

import (
	"sync"
	"time"
)

// Log keeps the last attempts in a ring, and puts those that fall out of it together
// by turn. Safe for concurrent use.
type Log struct {
	mu    sync.Mutex
	ring  []Entry
	Limit int
	seq   uint64
	turns turns
	Open  Opens
}

// Add numbers an entry and keeps a copy.
func (j *Log) Add(e *Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.Seq = j.seq + 1
	j.seq++
	if len(j.ring) < j.Limit {
		j.ring = append(j.ring, *e)
		return
	}
	place := &j.ring[(e.Seq-1)%uint64(j.Limit)]
	j.turns.add(place)
	*place = *e
}

// Amend corrects a record, if it is still there, by what was learned when the
// last bytes were sent: the outcome, and when they were written (0: never).
func (j *Log) Amend(seq uint64, o Outcome, written time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq == 0 || len(j.ring) == 0 || seq > j.seq {
		return
	}
	if e := &j.ring[(seq-1)%uint64(j.Limit)]; e.Seq == seq {
		e.Outcome, e.written = o, written
	}
}

// After copies at most limit records with a sequence number above seq. lost is
// how many of those had already been overwritten.
func (j *Log) After(seq uint64, limit int) (records []Record, lost uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := j.seq - uint64(len(j.ring))
	if seq < first {
		lost = first - seq
		seq = first
	}
	records = []Record{}
	for ; seq < j.seq && len(records) < limit; seq++ {
		records = append(records, j.ring[seq%uint64(j.Limit)].record())
	}
	return records, lost
}

// Begin forgets every record and turn. Trace ids of the run to come begin with 8
// bytes; without prefixed any do.
func (j *Log) Begin(prefix uint64, prefixed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ring, j.seq, j.turns = nil, 0, turns{prefix: prefix, prefixed: prefixed}
}

// Prefix is what Begin was told.
func (j *Log) Prefix() (prefix uint64, prefixed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.turns.prefix, j.turns.prefixed
}

// Client tells how the client under test treated this server, and of the turns asked
// about; nil asks about none.
func (j *Log) Client(asked *Asked) ClientFacts {
	list := j.Open.traced()
	j.mu.Lock()
	untraced := 0
	for i := range j.ring {
		switch e := &j.ring[i]; {
		case e.Purpose != PurposeTurn:
		case e.Traced:
			list = append(list, traced{e.Trace, e.Attempt > 1, e.attempt()})
		default:
			untraced++
		}
	}
	s, list, tails := j.turns.told(list)
	known := 1 / float64(uint64(1)<<j.turns.halved)
	j.mu.Unlock()
	s.Untraced += untraced
	tails = append(tails, s.turns(list)...)
	s.lookUp(tails, asked)
	f := s.facts()
	f.Known = known
	return f
}
