package mockllm

import (
	"strconv"
	"time"

	"github.com/cstest/cstest/mockllm/internal/admission"
	"github.com/cstest/cstest/mockllm/internal/prompt"
	"github.com/cstest/cstest/mockllm/internal/transport"
	"github.com/cstest/cstest/mockllm/journal"
)

// ration takes the call's share of the quotas, or answers 429. What is left is
// told in the headers of whatever the call gets.
func (c *call) ration() (refused bool) {
	u := c.usage()
	v := c.set.quotas.Take(c.start, u.Prompt+u.Completion)
	c.extra = standings(c.req.API, v, c.start)
	if v.Over == "" {
		return false
	}
	c.fault, c.entry.Fault = nil, nil
	e := prompt.ErrorOfStatus(429)
	e.Kind = v.Over
	h := transport.Head{Status: 429, ContentType: typeJSON}
	if v.Never {
		e.Message = "this request has more tokens than the limit of " + strconv.FormatInt(v.Tokens.Limit, 10) + ": make it smaller"
	} else {
		e.Message = "rate limit of " + v.Over + " reached, please try again in " + v.Wait.Round(time.Millisecond).String()
		h.RetryAfter = c.askToWait(v.Wait)
		c.extra = append(c.extra, transport.Field{Name: "retry-after-ms", Value: strconv.FormatInt(v.Wait.Milliseconds()+1, 10)})
	}
	c.buf = appendError(c.buf[:0], c.req.API, e)
	_ = c.respond(journal.Outcome(429), h, c.buf)
	return true
}

// standings are the headers in which an API tells its quotas.
func standings(api prompt.API, v admission.Verdict, now time.Time) []transport.Field {
	var out []transport.Field
	for _, s := range []struct {
		name string
		admission.Standing
	}{{"requests", v.Requests}, {"tokens", v.Tokens}} {
		if s.Limit == 0 {
			continue
		}
		limit, left := strconv.FormatInt(s.Limit, 10), strconv.FormatInt(s.Remaining, 10)
		if api == prompt.Messages {
			out = append(out,
				transport.Field{Name: "anthropic-ratelimit-" + s.name + "-limit", Value: limit},
				transport.Field{Name: "anthropic-ratelimit-" + s.name + "-remaining", Value: left},
				transport.Field{Name: "anthropic-ratelimit-" + s.name + "-reset", Value: now.Add(s.Reset).UTC().Format(time.RFC3339)})
			continue
		}
		out = append(out,
			transport.Field{Name: "x-ratelimit-limit-" + s.name, Value: limit},
			transport.Field{Name: "x-ratelimit-remaining-" + s.name, Value: left},
			transport.Field{Name: "x-ratelimit-reset-" + s.name, Value: s.Reset.Round(time.Millisecond).String()})
	}
	return out
}
