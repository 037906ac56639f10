package refserver

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/jobs"
	"github.com/cstest/cstest/reference-server/trace"
	"github.com/cstest/cstest/reference-server/wire"
)

// jobBusy is how long a job waits for another turn of its dialog.
const jobBusy = 10 * time.Second

// async queues a turn: 202 with the place of the job, or 503 when the queue is
// longer than a minute.
func (s *Server) async(x *exchange) error {
	t, err := s.open(x)
	if err != nil {
		return err
	}
	x.turn = t
	t.read()
	job := jobs.Job{
		ID: s.ids.Mint(dialog.IDJob, t.who.Owner), Tenant: t.who.Tenant, UID: t.who.UID, DialogID: t.req.dialogID, TurnID: t.req.turnID, Text: t.text,
		Hash: t.hash, PII: t.ans.piiIn, Trace: "00-" + t.tr.ID + "-" + dialog.RandomHex(8) + "-" + t.tr.Flags,
	}
	if job.DialogID == "" {
		job.DialogID, job.New = s.ids.Mint(dialog.IDDialog, t.who.Owner), true
	}
	if err := s.jobs.Submit(x.r.Context(), job); err != nil {
		return jobProblem(err)
	}
	// The place includes a long poll: whoever follows it waits here, not there.
	place := "/v1/jobs/" + job.ID
	h := x.w.Header()
	h.Set("Location", place+"?wait="+jobs.LongestWait.String())
	h.Set("Retry-After", "0")
	x.send(http.StatusAccepted, wire.JSON(nil).Object("").String("job", job.ID).String("status", string(jobs.Queued)).String("url", place).
		String("dialog_id", job.DialogID).String("turn_id", job.TurnID).String("trace_id", t.tr.ID).EndObject())
	return nil
}

// jobGet shows a job, waiting for its end with ?wait=.
func (s *Server) jobGet(x *exchange) error {
	id, err := x.owned(dialog.IDJob)
	if err != nil {
		return err
	}
	var wait time.Duration
	if text := x.r.URL.Query().Get("wait"); text != "" {
		if wait, err = time.ParseDuration(text); err != nil || wait < 0 {
			return problemFields("wait: want a duration such as 5s")
		}
	}
	status, err := s.jobs.Await(x.r.Context(), id, wait)
	if err != nil {
		return jobProblem(err)
	}
	x.send(http.StatusOK, status.JSON(id))
	return nil
}

// jobDelete cancels a job; one that has ended stays as it ended.
func (s *Server) jobDelete(x *exchange) error {
	id, err := x.owned(dialog.IDJob)
	if err != nil {
		return err
	}
	status, err := s.jobs.Cancel(x.r.Context(), id)
	if err != nil {
		return jobProblem(err)
	}
	x.send(http.StatusOK, status.JSON(id))
	return nil
}

// jobProblem is what an error of the queue means to the caller.
func jobProblem(err error) error {
	var full *jobs.FullError
	switch {
	case errors.As(err, &full):
		return &problem{status: http.StatusServiceUnavailable, code: "queue-full", detail: full.Error(), retry: full.Over}
	case errors.Is(err, jobs.ErrUnknown):
		return problemNotFound
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return problemGone
	}
	return stateProblem(err)
}

// answerJob runs the turn of a job: the same turn as any, with its text masked
// already.
func (s *Server) answerJob(ctx context.Context, job jobs.Job) (result []byte, code string) {
	t := &turn{
		srv: s, set: s.set.Load(), start: time.Now(), tr: trace.From(job.Trace), who: identity{Owner: dialog.Owner{Tenant: job.Tenant, UID: job.UID}, role: roleUser},
		text: job.Text, clean: dialog.StripMarks(job.Text), hash: job.Hash, newDialog: job.New, req: request{dialogID: job.DialogID, turnID: job.TurnID},
	}
	t.ans.piiIn, t.ans.job, t.ans.group = job.PII, job.ID, group(job.UID, t.set)
	body, err := t.runPatiently(ctx)
	var p *problem
	switch {
	case err == nil:
		if t.replay == nil {
			s.count(t)
		}
		return body, ""
	case errors.As(err, &p):
		return nil, p.code
	}
	s.log.Error("internal", "trace_id", t.tr.ID, "err", err.Error())
	return nil, jobs.CodeInternal
}

// runPatiently runs a turn for which nobody waits. When it meets another turn of
// its dialog, of another server or not of a job at all, it waits for that.
func (t *turn) runPatiently(ctx context.Context) ([]byte, error) {
	until := time.Now().Add(jobBusy)
	for {
		body, err := t.run(ctx)
		if !errors.Is(err, problemBusy) || time.Now().After(until) {
			return body, err
		}
		select {
		case <-ctx.Done():
			return nil, problemGone
		case <-time.After(twinPoll):
		}
		t.start = time.Now()
	}
}

// prefersAsync reads RFC 7240.
func prefersAsync(r *http.Request) bool {
	for _, h := range r.Header.Values("Prefer") {
		for p := range strings.SplitSeq(h, ",") {
			if strings.EqualFold(strings.TrimSpace(p), "respond-async") {
				return true
			}
		}
	}
	return false
}
