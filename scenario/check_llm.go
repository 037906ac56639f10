package scenario

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/cstest/cstest/unit"
)

const maxDelay = unit.Duration(10 * time.Minute) // of the mock

func (c *checker) llm() {
	l := c.LLM
	if l == nil {
		return
	}
	if l.Listen != "" && l.Admin != "" {
		c.bad("llm", "has both listen (start a mock there) and admin (arm one that runs): remove one")
	}
	if c.Target.Bundled != nil && (l.Listen != "" || l.Admin != "") {
		c.bad("llm", "listen and admin are for one's own server; the bundled one gets its mock by itself")
	}
	if l.Listen != "" && !hostPort(l.Listen) {
		c.bad("llm.listen", "%q is not ADDRESS:PORT", short(l.Listen))
	}
	if l.Admin != "" {
		c.url("llm.admin", l.Admin)
	}
	if l.Token != "" && l.Admin == "" {
		c.bad("llm.token", "is of the mock that llm.admin names: give that too")
	}
	if c.Target.Bundled == nil && l.Listen == "" && l.Admin == "" {
		c.warn("llm", "cstest runs no mock LLM for this target: give llm.listen or llm.admin; without, faults only say when something else makes them happen")
	}
	c.latency(l.Latency)
	if l.Connect > maxDelay {
		c.bad("llm.connect", "is longer than %s", maxDelay)
	}
	if len(l.Answers) > 1000 {
		c.bad("llm.answers", "has more than 1000 answers")
	}
	for i, a := range l.Answers {
		c.pattern(item("llm.answers", i, "match"), a.Match)
		if a.Say == "" || len(a.Say) > 64<<10 {
			c.bad(item("llm.answers", i, "say"), "must have 1 byte to 64 KiB")
		}
		c.toolCall(i, a)
	}
	if k := l.Capacity; k != nil {
		if k.MaxInFlight < 1 {
			c.bad("llm.capacity.max_in_flight", "must be 1 or more for the rest of capacity to mean something")
		}
		if k.Slowdown != 0 && (k.Slowdown < 1 || k.Slowdown > 1000) {
			c.bad("llm.capacity.slowdown", "is a factor from 1 to 1000")
		}
	}
	c.faults()
}

// toolCall checks what the mock would refuse of a scripted tool call.
func (c *checker) toolCall(i int, a Answer) {
	if len(a.Tool) > 64 {
		c.bad(item("llm.answers", i, "tool"), "is longer than 64 bytes")
	}
	if a.Arguments == "" {
		return
	}
	var object map[string]any
	switch err := json.Unmarshal([]byte(a.Arguments), &object); {
	case a.Tool == "":
		c.bad(item("llm.answers", i, "arguments"), "means nothing without tool")
	case err != nil || object == nil || len(a.Arguments) > 64<<10:
		c.bad(item("llm.answers", i, "arguments"), "must be a JSON object as text, such as '{\"order_no\": \"E1\"}', of at most 64 KiB")
	}
}

func (c *checker) latency(l *Latency) {
	if l == nil {
		return
	}
	const path = "llm.latency"
	whole := Dist{l.Constant, l.Min, l.Max, l.Median, l.P99}
	if l.FirstToken == nil && l.PerToken == nil {
		c.answerTime(path, whole)
		return
	}
	if whole != (Dist{}) {
		c.bad(path, "mixes forms: with first_token and per_token the time of the whole follows")
	}
	if l.FirstToken == nil || l.PerToken == nil {
		c.bad(path, "first_token and per_token are needed together")
		return
	}
	c.answerTime(path+".first_token", *l.FirstToken)
	c.answerTime(path+".per_token", *l.PerToken)
}

// answerTime checks a distribution that the mock draws from.
func (c *checker) answerTime(path string, d Dist) {
	c.dist(path, d.Constant, d.Min, d.Max, d.Median, d.P99, "p99")
	if max(d.Constant, d.Max, d.P99, d.Median) > maxDelay {
		c.bad(path, "is longer than %s", maxDelay)
	}
}

func (c *checker) faults() {
	if len(c.LLM.Faults) > 100 {
		c.bad("llm.faults", "has more than 100 faults")
	}
	seen := map[string]bool{}
	end := unit.Duration(c.TotalDuration())
	for i, f := range c.LLM.Faults {
		path := item("llm.faults", i, "")
		c.name(path+".name", f.Name)
		c.unique(seen, path+".name", f.Name)
		if f.For <= 0 {
			c.bad(path+".for", "must be above 0s")
		}
		if f.Share <= 0 {
			c.bad(path+".share", "must be above 0%%, else nothing happens")
		}
		if f.Ramp > f.For {
			c.bad(path+".ramp", "is longer than the fault")
		}
		switch {
		case f.At >= end && end > 0:
			c.warn(path+".at", "%s is after the end of the load (%s): the fault will not be seen", f.At, end)
		case f.At+f.For > end && end > 0:
			c.warn(path+".for", "the fault ends after the load does (%s): its recovery will not be seen", end)
		}
		c.faultFields(path, &f)
		c.faultLimits(path, &f)
	}
}

// faultLimits refuses what the mock would refuse.
func (c *checker) faultLimits(path string, f *Fault) {
	least := 400
	if f.Kind == FaultHTML {
		least = 200
	}
	if f.Status != 0 && (f.Status < least || f.Status > 599) {
		c.bad(path+".status", "%d is not an HTTP status from %d to 599", f.Status, least)
	}
	if f.Flap != nil && min(f.Flap.On, f.Flap.Off) < unit.Duration(time.Millisecond) {
		c.bad(path+".flap", "on and off must be 1ms or more")
	}
	if f.Factor > 10_000 {
		c.bad(path+".factor", "is above 10000")
	}
	if f.Attempts > 1000 {
		c.bad(path+".attempts", "is above 1000")
	}
	if f.BytesPerS > 1<<20 {
		c.bad(path+".bytes_per_s", "is above 1MiB")
	}
	if f.Size > 4<<30 {
		c.bad(path+".size", "is above 4GiB")
	}
	if len(f.Value) > 64<<10 {
		c.bad(path+".value", "is longer than 64 KiB")
	}
	if f.Kind == FaultEmpty && f.Value != "" && !slices.Contains([]string{"body", "choices", "content"}, f.Value) {
		c.bad(path+".value", "must be body, choices or content")
	}
}

// faultFields refuses fields that the kind of fault does not look at.
func (c *checker) faultFields(path string, f *Fault) {
	for _, u := range []struct {
		name  string
		given bool
		kinds []FaultKind
	}{
		{"status", f.Status != 0, []FaultKind{FaultStatus, FaultFailFirst, FaultHTML, FaultErrorInStream}},
		{"retry_after", f.RetryAfter != 0, []FaultKind{FaultStatus, FaultFailFirst}},
		{"factor", f.Factor != 0, []FaultKind{FaultSlow}},
		{"chunks", f.Chunks != 0, []FaultKind{FaultTruncate, FaultReset, FaultGarbage, FaultErrorInStream}},
		{"bytes_per_s", f.BytesPerS != 0, []FaultKind{FaultDrip}},
		{"attempts", f.Attempts != 0, []FaultKind{FaultFailFirst}},
		{"size", f.Size != 0, []FaultKind{FaultOversized}},
		{"heartbeat", f.Heartbeat != 0, []FaultKind{FaultHang}},
		{"value", f.Value != "", []FaultKind{FaultLeak, FaultEscape, FaultHTML, FaultEmpty}},
	} {
		if u.given && !slices.Contains(u.kinds, f.Kind) {
			c.bad(path+"."+u.name, "means nothing to kind %s; it is for %s", f.Kind, strings.Join(texts(u.kinds...), ", "))
		}
	}
}
