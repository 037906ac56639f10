package trial

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// preflightWithin is how long the one real turn may take, login included. A
// target that is allowed longer turns is allowed one here, and its login as
// long again, so that a timeout is told as one.
const preflightWithin = 5 * time.Second

// beyond is the number of the conversation that the preflight holds, of shard 0;
// the other shards' follow. No load reaches it, so its user, rows and traces are
// nobody else's.
const beyond = 1 << 40

// firstTurn sends the one real turn, unless whoever started the run leaves meanwhile:
// nothing has begun that would have to be drained.
func firstTurn(ctx, graceful context.Context, o *Options, target *scenario.Target) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(graceful, cancel)()
	err := preflight(ctx, o, target, preflightPauses)
	if err != nil && graceful.Err() != nil {
		return reason.Errorf("ended before the load: %w", context.Canceled)
	}
	return err
}

// preflightPauses come before the second and the third turn, sent where the one
// before was refused by a target that may only be busy.
var preflightPauses = []time.Duration{time.Second, 2 * time.Second}

// preflight sends one real turn, and another after each pause while the target
// says 429 or 5xx. A target that does not answer is not loaded.
func preflight(ctx context.Context, o *Options, target *scenario.Target, pauses []time.Duration) error {
	where := target.URL
	if u, err := url.Parse(target.URL); err == nil {
		where = u.Redacted()
	}
	for try := 0; ; try++ {
		story, err := sendFirst(ctx, o, target, where)
		switch {
		case err != nil:
			return err
		case o.Scenario.Target.Bundled != nil && story.contextStatus == "unavailable":
			// It would answer every turn without the dialog: the load would test its fallback, not it.
			return &TargetError{Why: reason.New(reason.TargetFails, where, reason.Say("the bundled server cannot reach its Redis"), reason.InEach(story.Text))}
		case measure.Answered.Has(story.Outcome), measure.ToRefuse.Has(story.Outcome):
			return nil
		case try == len(pauses) || story.Status != 429 && story.Status < 500:
			return &TargetError{Why: reason.New(reason.TargetFails, where, reason.InEach(story.Why), reason.InEach(story.Text))}
		}
		o.Notice(reason.New(reason.TargetBusy, where, reason.InEach(story.Why), pauses[try], try+2, len(pauses)+1))
		select {
		case <-time.After(pauses[try]):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sendFirst sends one real turn.
func sendFirst(ctx context.Context, o *Options, target *scenario.Target, where string) (*Exchange, error) {
	within := time.Duration(target.Timeout)
	if target.Login != nil {
		within *= 2
	}
	within = max(preflightWithin, within+time.Second)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var story *Exchange
	err := converse(ctx, o, target, 0, func(e *Exchange) bool {
		story = e
		return false
	})
	switch {
	case err != nil && ctx.Err() == nil:
		return nil, err
	case story == nil:
		return nil, &TargetError{Why: reason.New(reason.TargetSilent, where, within), Err: ctx.Err()}
	}
	return story, nil
}

// Try brings up what the scenario needs and holds one conversation with the
// target, each turn shown as soon as it is over. fault, unless nil, is one
// of the mock LLM's that lasts throughout.
func Try(ctx context.Context, o Options, fault *scenario.Fault, show func(*Exchange) bool) error {
	s := o.Scenario
	o.fill()
	if s.Target.Bundled == nil {
		if _, err := checkAddress(ctx, &s.Target, o.AllowTarget); err != nil {
			return err
		}
	}
	up, err := startServers(ctx, s, &o)
	if err != nil {
		return err
	}
	defer up.Stop(ctx)
	if up.Mock != nil {
		if err := up.Mock.Arm(ctx, during(s, fault), s.Seed, s.Checks.Memory == "on", time.Minute); err != nil {
			return reason.Errorf("arm the mock LLM: %w", err)
		}
		if fault != nil { // it is due from t = 0, which is now
			if err := up.Mock.Epoch(ctx, time.Now(), ""); err != nil {
				return reason.Errorf("arm the mock LLM: %w", err)
			}
		}
	}
	return converse(ctx, &o, &up.Target, time.Second, show)
}

// during is the mock LLM of s outside of any storm, or in the midst of one alone.
func during(s *scenario.Scenario, fault *scenario.Fault) *scenario.LLM {
	llm := *s.LLM
	llm.Faults = nil
	if fault != nil {
		f := *fault
		f.At, f.For, f.Ramp, f.Flap = 0, unit.Duration(time.Hour), 0, nil
		llm.Faults = []scenario.Fault{f}
	}
	return &llm
}

// converse holds one conversation through the code path of a load.
func converse(ctx context.Context, o *Options, target *scenario.Target, longest time.Duration, show func(*Exchange) bool) error {
	s := o.Scenario
	var captured sync.Mutex // a socket may be opened again between turns
	var messages []Message
	d, err := driver.New(target, driver.Options{
		Base: time.Now(), RunID: o.RunID, Secrets: s.Secret, Upload: s.Upload, Dir: s.Dir(), Forged: s.ForgedHeaders(),
		Capture: func(req, resp []byte) {
			captured.Lock()
			defer captured.Unlock()
			messages = append(messages, Message{string(req), string(resp)})
		},
	})
	if err != nil {
		return &TargetError{Why: reason.New(reason.TargetUnusable, err), Err: err} // a file it names, mostly
	}
	defer d.Close() // every connection is ours to drop
	secret := secretHeadersOf(&s.Target)
	one := load.Options{Scenario: s, Seed: s.Seed, RunID: o.RunID, Driver: d}
	var saved []string // by the login, in a turn before as well
	return load.OneConversation(ctx, one, beyond+int64(o.Shard), longest, func(st *load.Step) bool {
		e := &Exchange{
			Conversation: st.Conversation, Number: st.Number, Of: st.Of,
			Status: st.Reply.Status, Reason: st.Reply.Reason, Message: st.Reply.Message,
			DialogID: string(st.Reply.DialogID), Answer: string(st.Reply.Answer), Tier: st.Judgement.Tier.String(), Usage: st.Reply.Usage,
			Outcome: st.Judgement.Outcome, Because: cmp.Or(st.Judgement.Message, refusal(st)), Took: st.Reply.Done - st.Reply.Begun,
			Example: example(st.Reply), contextStatus: string(st.Reply.ContextStatus), Unmapped: unmapped(st),
		}
		captured.Lock()
		seen := messages
		messages = nil
		captured.Unlock()
		for i, m := range seen {
			saved = append(saved, secret.credentials(m.Request)...)
			text, body := decoded(m.Response)
			head, _, _ := strings.Cut(text, "\r\n\r\n")
			if step := loginStep(&s.Target, m.Request); step != nil {
				var typed []string
				m.Request, typed = maskLogin(step, m.Request)
				saved = append(append(saved, typed...), savedBy(step, head, body)...)
			}
			m = Message{secret.mask(m.Request), secret.mask(text)}
			if i < len(seen)-1 {
				e.Before = append(e.Before, m)
				continue
			}
			e.Request, e.Response = m.Request, m.Response
			e.Paths = pathsOf(&s.Target, head, body)
		}
		e.redact(saved, o.Redact)
		return show(e)
	})
}

// example is the begin of what a turn passed over that waited for something else.
func example(r *driver.Reply) string {
	if r.Passed == 0 {
		return ""
	}
	return strings.ToValidUTF8(string(r.Body), "?")
}

// refusal is what an answer whose status refuses the turn says of itself.
func refusal(st *load.Step) string {
	if measure.Answered.Has(st.Judgement.Outcome) || st.Reply.Status < 300 {
		return ""
	}
	return load.Refusal(st.Reply)
}

// unmapped tells what an answer lacks of what the scenario says is in it.
func unmapped(st *load.Step) (list reason.Reasons) {
	r := st.Reply
	if r.Cookie {
		list = append(list, reason.New(reason.CookieIgnored))
	}
	if !measure.Answered.Has(st.Judgement.Outcome) {
		return list
	}
	if r.Missing.Has(driver.PlaceTier) {
		list = append(list, reason.New(reason.TierNotFound))
	}
	if st.Judgement.Message == measure.UnmappedTier {
		list = append(list, reason.New(reason.TierWordUnmapped, string(r.Tier)))
	}
	if r.Missing.Has(driver.PlaceDialogID) && len(st.Turn.DialogID) == 0 && st.Number > 1 {
		list = append(list, reason.New(reason.DialogNeverNamed))
	}
	return list
}
