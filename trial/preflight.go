package trial

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
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
		return fmt.Errorf("ended before the load: %w", context.Canceled)
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
			return &TargetError{Why: reason.New(reason.TargetFails, where, "the bundled server cannot reach its Redis", story)}
		case measure.Answered.Has(story.Outcome):
			return nil
		case try == len(pauses) || story.Status != 429 && story.Status < 500:
			return &TargetError{Why: reason.New(reason.TargetFails, where, story.Why(), story)}
		}
		o.Notice(reason.New(reason.TargetBusy, where, story.Why(), pauses[try], try+2, len(pauses)+1))
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

// Exchange is one turn shown to a person: what went out and what came back,
// secrets masked.
type Exchange struct {
	Conversation string
	Number, Of   int
	Request      string
	Response     string
	Status       int
	Reason       driver.Reason
	Message      string
	DialogID     string
	Answer       string
	Tier         string
	Outcome      measure.Outcome
	Because      string // the rule that chose the outcome
	Took         time.Duration

	// Unmapped is what the answer lacks of what the scenario says is in it.
	Unmapped reason.Reasons

	contextStatus string // what the server says of its dialog state
}

// Try brings up what the scenario needs and holds one conversation with the
// target, each turn shown as soon as it is over.
func Try(ctx context.Context, o Options, show func(*Exchange) bool) error {
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
		calm := *s.LLM
		calm.Faults = nil // one conversation outside any storm
		if err := up.Mock.Arm(ctx, &calm, s.Seed, s.Checks.Memory == "on", time.Minute); err != nil {
			return fmt.Errorf("arm the mock LLM: %w", err)
		}
	}
	return converse(ctx, &o, &up.Target, time.Second, show)
}

// converse holds one conversation through the code path of a load.
func converse(ctx context.Context, o *Options, target *scenario.Target, longest time.Duration, show func(*Exchange) bool) error {
	s := o.Scenario
	var request, response []byte
	d, err := driver.New(target, driver.Options{
		Base: time.Now(), RunID: o.RunID, Secrets: s.Secret, Dir: s.Dir(),
		Capture: func(req, resp []byte) {
			request = append(request[:0], req...)
			response = append(response[:0], resp...)
		},
	})
	if err != nil {
		return &TargetError{Why: reason.New(reason.TargetUnusable, err), Err: err} // a file it names, mostly
	}
	defer d.Close() // every connection is ours to drop
	secret := secretHeadersOf(&s.Target)
	one := load.Options{Scenario: s, Seed: s.Seed, RunID: o.RunID, Driver: d}
	return load.OneConversation(ctx, one, beyond+int64(o.Shard), longest, func(st *load.Step) bool {
		e := &Exchange{
			Conversation: st.Conversation, Number: st.Number, Of: st.Of,
			Request: secret.mask(string(request)), Response: secret.mask(string(response)),
			Status: st.Reply.Status, Reason: st.Reply.Reason, Message: st.Reply.Message,
			DialogID: string(st.Reply.DialogID), Answer: string(st.Reply.Answer), Tier: st.Judgement.Tier.String(),
			Outcome: st.Judgement.Outcome, Because: st.Judgement.Message, Took: st.Reply.Done - st.Reply.Begun,
			contextStatus: string(st.Reply.ContextStatus), Unmapped: unmapped(st),
		}
		e.redact(secret.credentials(string(request)), o.Redact)
		request, response = nil, nil
		return show(e)
	})
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

// redact takes secrets out of every text: the credentials of the request first,
// which the target may have sent back, then those that redact knows.
func (e *Exchange) redact(sent []string, redact func(string) string) {
	for _, text := range []*string{&e.Request, &e.Response, &e.Message, &e.DialogID, &e.Answer, &e.Because} {
		for _, s := range sent {
			*text = strings.ReplaceAll(*text, s, "[redacted]")
		}
		*text = redact(*text)
	}
}

// Why says in one line what was wrong.
func (e *Exchange) Why() string {
	switch {
	case strings.Contains(e.Message, "unknown authority"):
		return fmt.Sprintf("%s: %s (name its CA in target.tls.ca, or add --insecure)", e.Outcome, e.Message)
	case e.Message != "":
		return fmt.Sprintf("%s: %s", e.Outcome, e.Message)
	case e.Because != "":
		return fmt.Sprintf("%s: %s", e.Outcome, e.Because)
	}
	return fmt.Sprintf("%s: status %d", e.Outcome, e.Status)
}

// String is the whole exchange, indented.
func (e *Exchange) String() string {
	var b strings.Builder
	section := func(title, text string) {
		if text = strings.TrimSpace(text); text == "" {
			text = "(nothing)"
		}
		if len(text) > 4000 {
			text = strings.ToValidUTF8(text[:4000], "") + "…"
		}
		fmt.Fprintf(&b, "  %s\n    %s\n", title, strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\n    "))
	}
	section("request", e.Request)
	section("response", e.Response)
	fmt.Fprintf(&b, "  extracted\n    dialog_id  %s\n    answer     %s\n    tier       %s\n", orNone(e.DialogID), orNone(e.Answer), e.Tier)
	fmt.Fprintf(&b, "  outcome\n    %s, %s after %s\n", e.Outcome, e.status(), e.Took.Round(10*time.Microsecond))
	if why := cmp.Or(e.Message, e.Because); why != "" {
		fmt.Fprintf(&b, "    %s\n", why)
	}
	for _, what := range e.Unmapped {
		fmt.Fprintf(&b, "    not as mapped: %s\n", what)
	}
	return b.String()
}

func (e *Exchange) status() string {
	if e.Status == 0 {
		return "no answer"
	}
	return fmt.Sprintf("status %d", e.Status)
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}
