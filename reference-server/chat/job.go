package chat

import (
	"context"
	"errors"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/jobs"
	"github.com/cstest/cstest/reference-server/trace"
)

// jobBusy is how long a job waits for another turn of its dialog.
const jobBusy = 10 * time.Second

// Job is the turn as it is queued: masked, and with a dialog.
func (t *Turn) Job() jobs.Job {
	t.read()
	job := jobs.Job{
		ID: t.chat.IDs.Mint(dialog.IDJob, t.who), Tenant: t.who.Tenant, UID: t.who.UID, DialogID: t.dialogID, TurnID: t.turnID, Text: t.words.Marked,
		New: t.newDialog, Hash: t.hash, PII: t.ans.piiIn, Trace: "00-" + t.tr.ID + "-" + dialog.RandomHex(8) + "-" + t.tr.Flags,
	}
	if job.DialogID == "" {
		job.DialogID, job.New = t.chat.IDs.Mint(dialog.IDDialog, t.who), true
	}
	return job
}

// AnswerJob runs the turn of a job: the same turn as any, with its text masked
// already. A code says that it failed, and why.
func (c *Chat) AnswerJob(ctx context.Context, job jobs.Job) (result []byte, code string) {
	t := &Turn{
		chat: c, start: time.Now(), tr: trace.From(job.Trace), who: dialog.Owner{Tenant: job.Tenant, UID: job.UID},
		words: dialog.ReadWords(job.Text), hash: job.Hash, newDialog: job.New, dialogID: job.DialogID, turnID: job.TurnID,
	}
	t.ans.piiIn, t.ans.job = job.PII, job.ID
	t.ans.group, t.set = c.Gray.Of(job.UID)
	body, err := t.runPatiently(ctx)
	var e Error
	switch {
	case err == nil:
		return body, ""
	case errors.As(err, &e):
		return nil, string(e)
	}
	c.Log.Error("internal", "trace_id", t.tr.ID, "err", err.Error())
	return nil, jobs.CodeInternal
}

// runPatiently runs a turn for which nobody waits. When it meets another turn of
// its dialog, of another server or not of a job at all, it waits for that.
func (t *Turn) runPatiently(ctx context.Context) ([]byte, error) {
	until := time.Now().Add(jobBusy)
	for {
		body, err := t.Run(ctx)
		if !errors.Is(err, ErrBusy) || time.Now().After(until) {
			return body, err
		}
		select {
		case <-ctx.Done():
			return nil, ErrGone
		case <-time.After(twinPoll):
		}
		t.start = time.Now()
	}
}
