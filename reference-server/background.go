package refserver

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/backflow"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/model"
	"github.com/cstest/cstest/reference-server/trace"
)

// flushEvery is how often the journal of tickets is written, while Redis answers.
const flushEvery = time.Second

// start runs what goes on beside requests.
func (s *Server) start(ctx context.Context) {
	s.background.Go(func() { s.store.Follow(ctx) })
	s.background.Go(func() { s.jobs.Run(ctx) })
	s.background.Go(func() { s.desk.Run(ctx) })
	s.background.Go(func() { s.customers.Run(ctx) })
	s.background.Go(func() { s.gray.Run(ctx) })
	if !s.knobs.Load().Tiers {
		return
	}
	s.background.Go(func() { s.watch.Run(ctx) })
	s.background.Go(func() { s.backflow.Run(ctx, s.chat.AskAgain) })
	s.background.Go(func() {
		tick := time.NewTicker(flushEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if s.watch.At().Shown() != degrade.Static {
					s.desk.Flush(ctx)
				}
			}
		}
	})
}

// sawModel hears of every attempt made for a user.
func (s *Server) sawModel(f model.Fault, took time.Duration, slow bool) {
	s.watch.SawModel(f, slow)
	if f == model.FaultStarved {
		s.limiter.Pressed()
	}
	s.metrics.attempts[f].Inc()
	s.metrics.attemptTime.Observe(took.Seconds())
}

// sawGray hears of every attempt made for a user of a group with knobs of its own: it
// says something about the group, and nothing about the model that everybody has.
func (s *Server) sawGray(f model.Fault, took time.Duration, _ bool) {
	s.metrics.grays[f].Inc()
	s.metrics.attemptTime.Observe(took.Seconds())
}

// sawRedis hears of every operation on a dialog.
func (s *Server) sawRedis(op string, took time.Duration, err error) {
	s.metrics.redisOps[op].Observe(took.Seconds())
	if err != nil && errors.Is(err, dialog.ErrState) {
		s.metrics.redisErrors[op].Inc()
	}
	failed := errors.Is(err, dialog.ErrState)
	if errors.Is(err, dialog.ErrCrowded) || !s.watch.SawRedis(time.Now(), failed, errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)) {
		s.limiter.Pressed() // says nothing about Redis, but that we ask too much at once
	}
}

// probe asks the model once, past the breaker.
func (s *Server) probe(ctx context.Context, body []byte) model.Fault {
	if body == nil {
		body = s.model.Body(model.Prompt{Text: "你好"})
	}
	_, err := s.model.Ask(ctx, body, trace.From(""), "probe")
	f := model.FaultOf(err)
	s.metrics.probes[f].Inc()
	return f
}

func (s *Server) tierChanged(from, to degrade.Position, reason string) {
	s.metrics.transitions.WithLabelValues(from.Shown().String(), to.Shown().String(), reason).Inc()
	s.log.Warn("tier", "from", from.Shown().String(), "to", to.Shown().String(), "live_share", to.LiveShare(), "reason", reason)
}

// around is what the backflow must know of the rest: it never asks while users need
// the model.
func (s *Server) around() backflow.World {
	room := s.limiter.State()
	return backflow.World{
		Model: s.watch.At().ModelSince(), Breaker: s.caller.Breaker().State() == "open", Turns: s.chat.Figures().Turns,
		InFlight: room.InFlight, Limit: room.Limit, Waiting: room.Waiting, Leaving: s.leaving.Load(),
	}
}

// acceptEntries puts what people accepted of the backflow's drafts into the FAQ.
func (s *Server) acceptEntries(list []backflow.Entry) {
	if s.faq == nil {
		return
	}
	entries := make([]answer.Entry, len(list))
	for i, e := range list {
		entries[i] = answer.Entry{ID: answer.Accepted + e.ID, Q: []string{e.Question}, A: e.Answer}
	}
	if err := s.faq.Accept(entries...); err != nil {
		s.log.Error("the FAQ stays as it was", "err", err)
		return
	}
	s.log.Info("FAQ", "accepted_entries", len(entries))
}
