package chat

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/model"
)

const streamTotal = 30 * time.Second // of one answer

// streamFromModel asks the model for a stream and passes it on as it comes,
// masked. An error before the first piece is the model's; after it, ErrCut.
func (t *Turn) streamFromModel(ctx context.Context) error {
	p := t.prompt()
	users := p.Users()
	if t.forget() {
		p.Turns = nil
	}
	ctx, cancel := context.WithTimeout(ctx, streamTotal)
	defer cancel()
	start := time.Now()
	t.asking = start
	first := t.set.LLMTimeout.D()
	if until, ok := t.modelUntil(); ok {
		first = min(first, time.Until(until))
	}
	out := &said{out: t.pieces, screen: t.chat.Screen.stream()}
	body := t.chat.Model.StreamBody(p)
	attempts, err := t.caller().Stream(ctx, body, t.tr, first, t.waiting, out.add)
	t.modelTime, t.attempts = time.Since(start), attempts
	t.spend(body, attempts, out.text.String())
	if err == nil {
		err = out.end()
	}
	if err != nil {
		t.fault = model.FaultOf(err)
		switch {
		case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled), errors.Is(err, model.ErrClient):
			t.fault = model.FaultCancelled
			return ErrGone
		case out.sent:
			return ErrCut
		}
		return err
	}
	t.ans.text, t.ans.source, t.ans.tier, t.ans.contextTurns = out.text.String(), "llm", degrade.LLM, users
	return nil
}

// said is what the model says, on its way to the caller: kept as it came, sent
// screened.
type said struct {
	out    func(string) error
	screen *stream
	text   strings.Builder
	sent   bool
}

func (s *said) add(piece string) error {
	if s.text.Len()+len(piece) > model.MaxText {
		return model.Garbage("answer is too long")
	}
	s.text.WriteString(piece)
	return s.emit(s.screen.add(piece))
}

func (s *said) end() error {
	if strings.TrimSpace(s.text.String()) == "" {
		return model.Garbage("answer has no text")
	}
	return s.emit(s.screen.end())
}

func (s *said) emit(text string) error {
	if text == "" {
		return nil
	}
	s.sent = true
	if s.out(text) != nil {
		return model.ErrClient
	}
	return nil
}
