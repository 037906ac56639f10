package mockllm

import (
	"encoding/hex"
	"sync"
	"time"
)

// Record is one attempt as the journal tells it. Times are offsets from the
// epoch that held when it arrived.
type Record struct {
	Seq     uint64 `json:"seq"` // from 1, in order of ending
	TNs     int64  `json:"t_ns"`
	TraceID string `json:"trace_id,omitzero"` // empty without a valid traceparent
	// Conversation and Turn come from the last canary of the prompt.
	Conversation string `json:"conversation,omitzero"`
	Turn         int    `json:"turn,omitzero"`
	// Canaries is how many were seen in the prompt.
	Canaries int    `json:"canaries"`
	Attempt  int    `json:"attempt"` // of this trace id (else this body), from 1
	Purpose  string `json:"purpose,omitzero"`
	API      string `json:"api"` // "chat" or "completions"
	Stream   bool   `json:"stream"`
	// DrawnNs is the latency the seed decided on, InjectedNs the time the
	// call was really held, QueueNs the part of it spent waiting for capacity.
	DrawnNs    int64 `json:"drawn_ns"`
	InjectedNs int64 `json:"injected_ns"`
	QueueNs    int64 `json:"queue_ns"`
	// DueNs is when the answer, of a stream its first content chunk, was to be
	// sent, LastDueNs when its end was. WrittenNs is when the last byte had been
	// handed to the kernel's socket; 0 until then, and when nothing was sent.
	// All three are offsets from the epoch, as TNs is.
	DueNs     int64 `json:"due_ns"`
	LastDueNs int64 `json:"last_due_ns"`
	WrittenNs int64 `json:"written_ns"`
	// RetryAfterNs is what the answer's Retry-After asked for.
	RetryAfterNs int64 `json:"retry_after_ns,omitzero"`
	// FirstTokenNs is when the first content chunk of a stream was written, after the request was read.
	FirstTokenNs int64  `json:"first_token_ns,omitzero"`
	Fault        string `json:"fault,omitzero"` // name of the fault that struck
	Kind         string `json:"kind,omitzero"`
	Outcome      string `json:"outcome"`
	Status       int    `json:"status"` // sent; 0 when none was
	Chunks       int    `json:"chunks"` // content chunks sent
}

// entry is a Record in its compact form.
type entry struct {
	seq                     uint64
	t                       time.Duration
	trace                   key
	conversation            [canaryLen]byte
	turn                    uint32
	canaries                uint32
	attempt                 uint32
	chunks                  uint32
	status                  uint16
	outcome                 outcome
	purpose                 purpose
	traced, chat, stream    bool
	fault                   *fault
	drawn, injected, queued time.Duration
	first                   time.Duration
	due, lastDue            time.Duration // from the arrival
	written                 time.Duration // from the arrival; 0 when nothing was
	retryAfter              time.Duration
}

func (e *entry) record() Record {
	r := Record{
		Seq: e.seq, TNs: int64(e.t), Turn: int(e.turn), Canaries: int(e.canaries), Attempt: int(e.attempt),
		Purpose: e.purpose.String(), API: "completions", Stream: e.stream, DrawnNs: int64(e.drawn),
		InjectedNs: int64(e.injected), QueueNs: int64(e.queued), FirstTokenNs: int64(e.first), Outcome: e.outcome.String(),
		Status: int(e.status), Chunks: int(e.chunks),
		DueNs: int64(e.t + e.due), LastDueNs: int64(e.t + e.lastDue), RetryAfterNs: int64(e.retryAfter),
	}
	if e.written > 0 {
		r.WrittenNs = int64(e.t + e.written)
	}
	if e.chat {
		r.API = "chat"
	}
	if e.traced {
		r.TraceID = hex.EncodeToString(e.trace[:])
	}
	if e.turn > 0 {
		r.Conversation = string(e.conversation[:])
	}
	if e.fault != nil {
		r.Fault, r.Kind = e.fault.Name, e.fault.Kind
	}
	return r
}

// journal keeps the last attempts in a ring. Safe for concurrent use.
type journal struct {
	mu    sync.Mutex
	ring  []entry
	limit int
	seq   uint64
}

func (j *journal) add(e *entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.seq = j.seq + 1
	j.seq++
	if len(j.ring) < j.limit {
		j.ring = append(j.ring, *e)
		return
	}
	j.ring[(e.seq-1)%uint64(j.limit)] = *e
}

// amend corrects a record, if it is still there, by what was learned when the
// last bytes were sent: the outcome, and when they were written (0: never).
func (j *journal) amend(seq uint64, o outcome, written time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq == 0 || len(j.ring) == 0 || seq > j.seq {
		return
	}
	if e := &j.ring[(seq-1)%uint64(j.limit)]; e.seq == seq {
		e.outcome, e.written = o, written
	}
}

// after copies at most limit records with a sequence number above seq. lost is
// how many of those had already been overwritten.
func (j *journal) after(seq uint64, limit int) (records []Record, lost uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := j.seq - uint64(len(j.ring))
	if seq < first {
		lost = first - seq
		seq = first
	}
	records = []Record{}
	for ; seq < j.seq && len(records) < limit; seq++ {
		records = append(records, j.ring[seq%uint64(j.limit)].record())
	}
	return records, lost
}

func (j *journal) reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ring, j.seq = nil, 0
}
