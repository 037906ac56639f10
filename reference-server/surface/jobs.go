package surface

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/jobs"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/quota"
	"github.com/cstest/cstest/reference-server/wire"
)

// async queues a turn: 202 with the place of the job, or 503 when the queue is
// longer than a minute.
func (s *Surface) async(x *exchange) error {
	if err := s.open(x); err != nil {
		return err
	}
	job := x.turn.Job()
	if err := s.Jobs.Submit(x.r.Context(), job); err != nil {
		return jobProblem(err)
	}
	// The place includes a long poll: whoever follows it waits here, not there.
	place := "/v1/jobs/" + job.ID
	h := x.w.Header()
	h.Set("Location", place+"?wait="+jobs.LongestWait.String())
	h.Set("Retry-After", "0")
	x.send(http.StatusAccepted, wire.JSON(nil).Object("").String("job", job.ID).String("status", string(jobs.Queued)).String("url", place).
		String("dialog_id", job.DialogID).String("turn_id", job.TurnID).String("trace_id", x.tr.ID).EndObject())
	return nil
}

// jobGet shows a job, waiting for its end with ?wait=.
func (s *Surface) jobGet(x *exchange) error {
	id, err := s.owned(x, dialog.IDJob)
	if err != nil {
		return err
	}
	var wait time.Duration
	if text := x.r.URL.Query().Get("wait"); text != "" {
		if wait, err = time.ParseDuration(text); err != nil || wait < 0 {
			return problem.Fields("wait: want a duration such as 5s")
		}
	}
	if wait > 0 {
		user := quota.Key(x.who.Owner)
		if full := s.polls.Enter(user, int(x.set.LimitPolls), int(x.set.LimitPollsUser)); full != "" {
			s.metrics.rejected["polls"].Inc()
			return problem.Polls
		}
		defer s.polls.Leave(user)
	}
	status, err := s.Jobs.Await(x.r.Context(), id, wait)
	if err != nil {
		return jobProblem(err)
	}
	x.send(http.StatusOK, status.JSON(id))
	return nil
}

// jobDelete cancels a job; one that has ended stays as it ended.
func (s *Surface) jobDelete(x *exchange) error {
	id, err := s.owned(x, dialog.IDJob)
	if err != nil {
		return err
	}
	status, err := s.Jobs.Cancel(x.r.Context(), id)
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
		return &problem.Problem{Status: http.StatusServiceUnavailable, Code: "queue-full", Detail: full.Error(), Retry: full.Over}
	case errors.Is(err, jobs.ErrUnknown):
		return problem.Lost // the id is good: there was such a job
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return problem.Gone
	}
	return err
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
