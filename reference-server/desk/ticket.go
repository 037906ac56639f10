package desk

import (
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/wire"
)

// State is where a ticket stands.
type State string

// The states of a ticket, in the order it goes through them. A claim that its
// agent does not make good leads back to open.
const (
	stateOpen    State = "open"
	stateClaimed State = "claimed"
	stateClosed  State = "closed"
)

// Ticket is a question handed to people.
type Ticket struct {
	ID       string `json:"id" redis:"-"`
	Queue    string `json:"queue" redis:"queue"`
	State    State  `json:"state" redis:"state"`
	ETA      int    `json:"eta_s" redis:"eta"`
	AskedNS  int64  `json:"-" redis:"asked_ns"` // Unix
	Tenant   string `json:"-" redis:"tenant"`
	UID      string `json:"-" redis:"uid"`
	DialogID string `json:"dialog_id,omitempty" redis:"dialog"`
	Text     string `json:"text,omitempty" redis:"text"` // masked
	TraceID  string `json:"trace_id" redis:"trace"`
	Agent    string `json:"agent,omitempty" redis:"agent"`
	Reply    string `json:"reply,omitempty" redis:"reply"`   // masked
	Draft    string `json:"draft,omitempty" redis:"draft"`   // what the model would answer, masked: for agents
	Socket   string `json:"socket,omitempty" redis:"socket"` // the winner's
	ClaimMS  int64  `json:"-" redis:"claimed_ms"`            // Unix, of the claim
}

func (t Ticket) asked() time.Time { return time.Unix(0, t.AskedNS) }

// JSON is the ticket as its owner sees it.
func (t Ticket) JSON() []byte {
	return wire.JSON(make([]byte, 0, 320+len(t.Text)+len(t.Reply))).Object("").String("id", t.ID).String("queue", t.Queue).String("state", string(t.State)).
		Int("eta_s", int64(t.ETA)).StringIf("dialog_id", t.DialogID).StringIf("text", t.Text).String("trace_id", t.TraceID).StringIf("agent", t.Agent).
		StringIf("reply", t.Reply).Int("asked_unix_ms", t.AskedNS/int64(time.Millisecond)).EndObject()
}

func ticketKey(id string) string { return "tkt:{" + id + "}" }

// queueKey is a sorted set of the tickets nobody has claimed, by the
// microsecond they were asked at.
func queueKey(tenant, queue string) string { return "tkq:{" + tenant + "}:" + queue }

// dialogKey is a set of the tickets of a dialog, for its erasure.
func dialogKey(dialogID string) string { return "tkd:{" + dialogID + "}" }

// fields are the ticket as Redis keeps it. The tenant comes last: without one
// nobody takes it for a ticket.
func (t Ticket) fields() []any {
	return []any{
		"queue", t.Queue, "state", string(t.State), "eta", t.ETA, "asked_ns", t.AskedNS, "uid", t.UID, "dialog", t.DialogID,
		"text", t.Text, "trace", t.TraceID, "agent", t.Agent, "reply", t.Reply, "draft", t.Draft, "socket", t.Socket, "claimed_ms", t.ClaimMS, "tenant", t.Tenant,
	}
}

// place is where the ticket stands in its queue.
func (t Ticket) place() redis.Z { return redis.Z{Score: float64(t.AskedNS / 1000), Member: t.ID} }

// scanTicket reads a stored ticket; ok is false for anything that is none.
func scanTicket(id string, got *redis.MapStringStringCmd) (t Ticket, ok bool) {
	if len(got.Val()) == 0 || got.Scan(&t) != nil {
		return Ticket{}, false
	}
	t.ID = id
	return t, t.Tenant != "" && t.State != "" && t.AskedNS > 0
}
