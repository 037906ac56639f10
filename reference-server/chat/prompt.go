package chat

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/gray"
	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/model"
)

// modelUntil is when a turn stops waiting for the model: at chat.degrade_at, and
// in time for what must follow, a look into the FAQ and a commit. ok is false, and at
// zero, where neither knob bounds it.
func (t *Turn) modelUntil() (at time.Time, ok bool) {
	if t.set.ChatDegradeAt > 0 {
		at, ok = t.start.Add(t.set.ChatDegradeAt.D()), true
	}
	if d := t.set.ChatDeadline.D(); d > 0 {
		last := t.start.Add(d - min(t.set.RedisTimeout.D(), d/4))
		if !ok || last.Before(at) {
			at, ok = last, true
		}
	}
	return at, ok
}

// answerByModel asks the model with the dialog so far.
func (t *Turn) answerByModel(ctx context.Context) error {
	p := t.prompt()
	until, _ := t.modelUntil()
	start := time.Now()
	said := p.Users()
	if t.forget() {
		p.Turns = nil
	}
	body := t.chat.Model.Body(p)
	text, attempts, err := t.caller().Call(ctx, until, body, t.tr)
	t.modelTime, t.attempts = time.Since(start), attempts
	t.spend(body, attempts, text)
	if err != nil {
		t.fault = model.FaultOf(err)
		return err
	}
	t.ans.text, t.ans.source, t.ans.tier = text, "llm", degrade.LLM
	t.ans.contextTurns = said
	return nil
}

// caller is that of the turn's group: a group with knobs of its own has a breaker of
// its own, so that a bad release takes the model away from nobody else.
func (t *Turn) caller() *model.Caller {
	if t.ans.group == gray.Gray && t.chat.Gray.Running() {
		return t.chat.GrayCaller
	}
	return t.chat.Caller
}

// prompt puts the stored dialog before the model.
func (t *Turn) prompt() model.Prompt { return promptOf(t.words.Marked, t.before(), t.set) }

// promptOf is a question behind the turns before it, newest turns first to fit.
func promptOf(text string, turns []dialog.Record, set *knobs.Settings) model.Prompt {
	p := model.Prompt{Text: text, Model: set.LLMModel, System: model.PromptNamed(set.LLMPrompt)}
	bytes, from := len(text), len(turns)
	for from > 0 && len(turns)-from+1 < int(set.HistoryMessages)/2 {
		bytes += turns[from-1].Size()
		if bytes > int(set.HistoryBytes) {
			break
		}
		from--
	}
	for i := range turns[from:] {
		p.Turns = append(p.Turns, exchangeOf(&turns[from+i]))
	}
	return p
}

// exchangeOf is a stored turn as the model sees it.
func exchangeOf(r *dialog.Record) model.Exchange {
	e := model.Exchange{User: r.User}
	if !r.Degraded {
		e.Replies = append(e.Replies, r.Reply())
	}
	for _, n := range r.Notes {
		e.Replies = append(e.Replies, n.Said())
	}
	return e
}

// forget draws whether this turn goes without the stored dialog, and says
// nothing about it: a load test must notice by itself.
func (t *Turn) forget() bool {
	return t.set.HistoryForget > 0 && rand.Float64() < float64(t.set.HistoryForget)
}
