package jobs

import (
	"encoding/json"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/wire"
)

// Job is a queued turn. The text is masked before it is queued.
type Job struct {
	ID       string `json:"id"`
	Tenant   string `json:"tenant"`
	UID      string `json:"uid"`
	DialogID string `json:"dialog_id"`
	New      bool   `json:"new"` // the dialog begins with this turn
	TurnID   string `json:"turn_id"`
	Text     string `json:"text"`
	Hash     string `json:"hash"`
	PII      int    `json:"pii"` // what was masked in the text
	Trace    string `json:"trace"`
	QueuedMS int64  `json:"at"` // Unix
}

func (j Job) encode() wire.JSON {
	return wire.JSON(nil).Object("").String("id", j.ID).String("tenant", j.Tenant).String("uid", j.UID).String("dialog_id", j.DialogID).Bool("new", j.New).
		String("turn_id", j.TurnID).String("text", j.Text).String("hash", j.Hash).Int("pii", int64(j.PII)).String("trace", j.Trace).Int("at", j.QueuedMS).EndObject()
}

// decode reads a job; ok is false for anything that is none.
func decode(m redis.XMessage) (job Job, ok bool) {
	raw, _ := m.Values["job"].(string)
	err := json.Unmarshal([]byte(raw), &job)
	return job, err == nil && dialog.IsID(job.ID) && dialog.IsID(job.DialogID)
}
