package journal

import (
	"encoding/hex"
	"time"

	"github.com/cstest/cstest/mockllm/internal/canary"
	"github.com/cstest/cstest/mockllm/internal/draw"
	"github.com/cstest/cstest/mockllm/internal/fault"
	"github.com/cstest/cstest/mockllm/internal/prompt"
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
	Canaries int `json:"canaries"`
	Attempt  int `json:"attempt"` // of this trace id (else this body), from 1
	// Body is a hash of the request's body: attempts of one trace id with one body are the same request.
	Body    uint64 `json:"body,string"`
	Purpose string `json:"purpose,omitzero"`
	API     string `json:"api"` // "chat", "completions", "responses", "messages", "embeddings" or "moderations"
	Stream  bool   `json:"stream"`
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

// Entry is a Record in its compact form.
type Entry struct {
	Seq                     uint64
	T                       time.Duration
	Trace                   draw.Key
	Conversation            [canary.Len]byte
	Turn                    uint32
	Canaries                uint32
	Attempt                 uint32
	Chunks                  uint32
	Status                  uint16
	Outcome                 Outcome
	Purpose                 Purpose
	Traced, Stream          bool
	API                     prompt.API
	Fault                   *fault.Fault
	Drawn, Injected, Queued time.Duration
	First                   time.Duration
	Due, LastDue            time.Duration // from the arrival
	written                 time.Duration // from the arrival; 0 when nothing was
	RetryAfter              time.Duration
	Body                    uint64
	Said                    Said // of an answer that broke off: what it had said
}

func (e *Entry) record() Record {
	r := Record{
		Seq: e.Seq, TNs: int64(e.T), Turn: int(e.Turn), Canaries: int(e.Canaries), Attempt: int(e.Attempt),
		Purpose: e.Purpose.String(), API: e.API.String(), Stream: e.Stream, DrawnNs: int64(e.Drawn),
		InjectedNs: int64(e.Injected), QueueNs: int64(e.Queued), FirstTokenNs: int64(e.First), Outcome: e.Outcome.String(),
		Status: int(e.Status), Chunks: int(e.Chunks),
		DueNs: int64(e.T + e.Due), LastDueNs: int64(e.T + e.LastDue), RetryAfterNs: int64(e.RetryAfter), Body: e.Body,
	}
	if e.written > 0 {
		r.WrittenNs = int64(e.T + e.written)
	}
	if e.Traced {
		r.TraceID = hex.EncodeToString(e.Trace[:])
	}
	if e.Turn > 0 {
		r.Conversation = string(e.Conversation[:])
	}
	if e.Fault != nil {
		r.Fault, r.Kind = e.Fault.Name, e.Fault.Kind
	}
	return r
}
