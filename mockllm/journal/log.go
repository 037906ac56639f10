// Package journal keeps the books of a mock LLM: one record per attempt, exact
// counters and histograms since the epoch, and what they tell about the client.
package journal

import (
	"sync"
	"time"
)

// Log keeps the last attempts in a ring. Safe for concurrent use.
type Log struct {
	mu    sync.Mutex
	ring  []Entry
	Limit int
	seq   uint64
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
	j.ring[(e.Seq-1)%uint64(j.Limit)] = *e
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

// Reset forgets every record.
func (j *Log) Reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ring, j.seq = nil, 0
}
