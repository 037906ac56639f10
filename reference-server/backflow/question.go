package backflow

import (
	"encoding/json"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/wire"
)

// maxQuestion is how many bytes a stored question may have; anything longer is not
// ours.
const maxQuestion = 32 << 10

// Question is one that got a worse answer than it deserved. Its text is masked before
// it comes here.
type Question struct {
	Tenant   string `json:"tenant"`
	UID      string `json:"uid"`
	DialogID string `json:"dialog_id"`
	TurnID   string `json:"turn_id"`
	Text     string `json:"text"`   // masked, without marks
	Intent   string `json:"intent"` // what it is about
	Ticket   string `json:"ticket"` // that was opened for it; empty: none
	Trace    string `json:"trace"`  // traceparent
	AskedMS  int64  `json:"at"`     // Unix
	Alone    bool   `json:"alone"`  // it means the same to everybody: fit for the FAQ
}

// Asked is when the question came.
func (q Question) Asked() time.Time { return time.UnixMilli(q.AskedMS) }

func (q Question) encode() string {
	return string(wire.JSON(make([]byte, 0, 256+len(q.Text))).Object("").String("tenant", q.Tenant).String("uid", q.UID).String("dialog_id", q.DialogID).
		String("turn_id", q.TurnID).String("text", q.Text).String("intent", q.Intent).String("ticket", q.Ticket).String("trace", q.Trace).
		Int("at", q.AskedMS).Bool("alone", q.Alone).EndObject())
}

// decode reads a question; ok is false for anything that is none.
func decode(m redis.XMessage) (q Question, ok bool) {
	raw, _ := m.Values["q"].(string)
	if len(raw) > maxQuestion || json.Unmarshal([]byte(raw), &q) != nil {
		return Question{}, false
	}
	return q, dialog.IsID(q.DialogID) && dialog.IsTurnID(q.TurnID) && q.Text != "" && (q.Ticket == "" || dialog.IsID(q.Ticket))
}

// End is what became of a question.
type End string

// The ends.
const (
	Replayed   End = "replayed"   // the model has answered it
	Superseded End = "superseded" // the user asked again, or a person answered
	Dropped    End = "dropped"    // newer ones needed its place
	Expired    End = "expired"    // too old, or its dialog is gone
	Erased     End = "erased"     // with its dialog
	Dead       End = "dead"       // it was tried too often, or is no question
)

// Ends are all of them.
var Ends = []End{Replayed, Superseded, Dropped, Expired, Erased, Dead}
