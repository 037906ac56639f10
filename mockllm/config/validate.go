package config

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// MaxModelLen is how many bytes a model name may have.
const MaxModelLen = 128

// Bounds of a configuration.
const (
	maxFaults    = 256
	maxAnswers   = 1024
	maxModels    = 256
	maxText      = 64 << 10
	maxBodySize  = 64 << 20
	maxRecords   = 1_000_000
	maxReasoning = 32_000
)

// Problems collects what is wrong, each with the path of its field.
type Problems struct{ list []error }

// Add notes a problem of the field at path.
func (p *Problems) Add(path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + ": " + text
	}
	p.list = append(p.list, errors.New(text))
}

// Join is all problems as one error, one a line; nil when there is none.
func (p *Problems) Join() error { return errors.Join(p.list...) }

// Validate reports every problem of the configuration, one a line, each as
// "field: what to do". nil means Start can only fail on its sockets.
func (c Config) Validate() error {
	var p Problems
	c = c.WithDefaults()
	c.Latency.validate(&p, "latency")
	c.Capacity.validate(&p, "capacity")
	if c.Connect < 0 || c.Connect.D() > MaxDelay {
		p.Add("connect", "must be from 0s to %s", MaxDelay)
	}
	if c.ContextTokens < 1 {
		p.Add("context_tokens", "must be at least 1")
	}
	if c.MaxBody < 1 || c.MaxBody > maxBodySize {
		p.Add("max_body", "must be from 1B to 64MiB")
	}
	if c.JournalRecords < 1 || c.JournalRecords > maxRecords {
		p.Add("journal_records", "must be from 1 to 1M")
	}
	if c.ReasoningTokens < 0 || c.ReasoningTokens > maxReasoning {
		p.Add("reasoning_tokens", "must be from 0 to 32k")
	}
	c.validateModels(&p)
	c.validateAnswers(&p)
	validateFaults(&p, c.Faults)
	c.validateAdmin(&p)
	return p.Join()
}

func (c Config) validateModels(p *Problems) {
	if len(c.Models) > maxModels {
		p.Add("models", "has more than %d names", maxModels)
	}
	for i, m := range c.Models {
		if m == "" || len(m) > MaxModelLen || !utf8.ValidString(m) {
			p.Add(fmt.Sprintf("models[%d]", i), "must be 1 to %d bytes of UTF-8", MaxModelLen)
		}
	}
}

func (c Config) validateAnswers(p *Problems) {
	if len(c.Answers) > maxAnswers {
		p.Add("answers", "has more than %d entries", maxAnswers)
	}
	for i, a := range c.Answers {
		at := fmt.Sprintf("answers[%d]", i)
		if _, err := regexp.Compile(a.Match); err != nil {
			p.Add(at+".match", "not a regular expression: %v", err)
		}
		if a.Say == "" || len(a.Say) > maxText || !utf8.ValidString(a.Say) {
			p.Add(at+".say", "must be 1 to %d bytes of UTF-8", maxText)
		}
		if len(a.Tool) > 64 || !utf8.ValidString(a.Tool) {
			p.Add(at+".tool", "must be at most 64 bytes of UTF-8")
		}
		if a.Arguments != "" && (a.Tool == "" || len(a.Arguments) > maxText || !utf8.ValidString(a.Arguments) || !gjson.Valid(a.Arguments) || !gjson.Parse(a.Arguments).IsObject()) {
			p.Add(at+".arguments", "must be a JSON object as text of at most %d bytes, and needs tool", maxText)
		}
	}
}

func (c Config) validateAdmin(p *Problems) {
	if c.AdminToken == "" && !loopback(c.AdminListen) {
		p.Add("admin_listen", "%s is not a loopback address: set admin_token too", c.AdminListen)
	}
	if c.AdminToken != "" && len(c.AdminToken) < 16 {
		p.Add("admin_token", "must be at least 16 characters")
	}
}

// loopback reports whether an address can only be reached from this machine.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (l Latency) validate(p *Problems, path string) {
	whole := Dist{Constant: l.Constant, Min: l.Min, Max: l.Max, Median: l.Median, P99: l.P99}
	if l.FirstToken == nil && l.PerToken == nil {
		whole.validate(p, path)
		return
	}
	if whole != (Dist{}) {
		p.Add(path, "use either first_token and per_token or a distribution of the whole, not both")
	}
	if l.FirstToken != nil {
		l.FirstToken.validate(p, path+".first_token")
	}
	if l.PerToken != nil {
		l.PerToken.validate(p, path+".per_token")
	}
}

func (d Dist) validate(p *Problems, path string) {
	forms := 0
	if d.Constant != 0 {
		forms++
	}
	if d.Min != 0 || d.Max != 0 {
		forms++
		if d.Min < 0 || d.Max < d.Min {
			p.Add(path, "min must be at least 0s and max at least min")
		}
	}
	if d.Median != 0 || d.P99 != 0 {
		forms++
		if d.Median <= 0 || d.P99 < d.Median {
			p.Add(path, "median must be above 0s and p99 at least the median")
		}
	}
	if forms > 1 {
		p.Add(path, "use one of constant, min with max, or median with p99")
	}
	longest := max(d.Constant, d.Max, d.Median, d.P99)
	if d.Constant < 0 || longest.D() > MaxDelay {
		p.Add(path, "must be from 0s to %s", MaxDelay)
	}
}

func (c Capacity) validate(p *Problems, path string) {
	if c.MaxInFlight < 0 || c.Queue < 0 {
		p.Add(path, "max_in_flight and queue must not be negative")
	}
	if c.MaxInFlight == 0 && c != (Capacity{}) {
		p.Add(path+".max_in_flight", "must be set for the rest of capacity to mean something")
	}
	if c.Slowdown != 0 && !(c.Slowdown >= 1 && c.Slowdown <= 1000) {
		p.Add(path+".slowdown", "must be a factor from 1 to 1000")
	}
	if c.RetryAfter < 0 {
		p.Add(path+".retry_after", "must not be negative")
	}
}

func validateFaults(p *Problems, faults []Fault) {
	if len(faults) > maxFaults {
		p.Add("faults", "has more than %d entries", maxFaults)
	}
	for i, f := range faults {
		f.Validate(p, fmt.Sprintf("faults[%d]", i))
	}
}

// Validate adds what is wrong with the fault at path.
func (f Fault) Validate(p *Problems, path string) {
	k := KindOf(f.Kind)
	if k == kindNone {
		p.Add(path+".kind", "must be one of %s", strings.Join(Kinds(), ", "))
		return
	}
	if len(f.Name) > 128 || !utf8.ValidString(f.Name) {
		p.Add(path+".name", "must be at most 128 bytes of UTF-8")
	}
	if f.At < 0 || f.For < 0 || f.Ramp < 0 || f.RetryAfter < 0 || f.Heartbeat < 0 {
		p.Add(path, "at, for, ramp, retry_after and heartbeat must not be negative")
	}
	if !(f.Share >= 0 && f.Share <= 1) {
		p.Add(path+".share", "must be from 0%% to 100%%")
	}
	if f.For > 0 && f.Ramp > f.For {
		p.Add(path+".ramp", "must not be longer than for")
	}
	if f.Flap != nil && (f.Flap.On.D() < time.Millisecond || f.Flap.Off.D() < time.Millisecond) {
		p.Add(path+".flap", "on and off must be at least 1ms each")
	}
	f.validateOptions(p, path, k)
}

func (f Fault) validateOptions(p *Problems, path string, k Kind) { //nolint:cyclop // a case for each kind; in parts it would be read no better
	low := 400
	if k == KindHTML {
		low = 200
	}
	if f.Status != 0 && (f.Status < low || f.Status > 599) {
		p.Add(path+".status", "must be from %d to 599", low)
	}
	if f.Factor != 0 && !(f.Factor > 0 && f.Factor <= 10_000) {
		p.Add(path+".factor", "must be above 0 and at most 10000")
	}
	if f.Chunks < 0 || f.Attempts < 0 || f.Attempts > 1000 {
		p.Add(path, "chunks and attempts must not be negative, attempts at most 1000")
	}
	if f.BytesPerS < 0 || f.BytesPerS > 1<<20 {
		p.Add(path+".bytes_per_s", "must be from 1B to 1MiB")
	}
	if f.Size < 0 || f.Size > 4<<30 {
		p.Add(path+".size", "must be at most 4GiB")
	}
	if len(f.Value) > maxText || !utf8.ValidString(f.Value) {
		p.Add(path+".value", "must be at most %d bytes of UTF-8", maxText)
	}
	if k == KindEmpty && f.Value != "" && f.Value != "body" && f.Value != "choices" && f.Value != "content" {
		p.Add(path+".value", "must be body, choices or content")
	}
	if f.RetryAfter > 0 && f.RetryAfterText != "" {
		p.Add(path+".retry_after_text", "cannot be combined with retry_after")
	}
	for i := range len(f.RetryAfterText) {
		if c := f.RetryAfterText[i]; c < ' ' || c > '~' || i > 256 {
			p.Add(path+".retry_after_text", "must be at most 256 printable ASCII characters")
			break
		}
	}
	f.validateForeign(p, path, k)
}

// validateForeign refuses options that mean nothing to the kind: most likely a
// mistake that would quietly test something else.
func (f Fault) validateForeign(p *Problems, path string, k Kind) {
	in := func(kinds ...Kind) bool { return slices.Contains(kinds, k) }
	for _, o := range []struct {
		name string
		set  bool
		ok   bool
	}{
		{"status", f.Status != 0, in(KindStatus, KindFailFirst, KindHTML, KindErrorInStream)},
		{"retry_after", f.RetryAfter != 0, in(KindStatus, KindFailFirst)},
		{"retry_after_text", f.RetryAfterText != "", in(KindStatus, KindFailFirst)},
		{"factor", f.Factor != 0, in(KindSlow)},
		{"chunks", f.Chunks != 0, in(KindTruncate, KindReset, KindErrorInStream, KindGarbage)},
		{"bytes_per_s", f.BytesPerS != 0, in(KindDrip)},
		{"attempts", f.Attempts != 0, in(KindFailFirst)},
		{"size", f.Size != 0, in(KindOversized)},
		{"heartbeat", f.Heartbeat != 0, in(KindHang)},
		{"value", f.Value != "", in(KindLeak, KindEscape, KindHTML, KindEmpty)},
	} {
		if o.set && !o.ok {
			p.Add(path+"."+o.name, "means nothing to kind %s", f.Kind)
		}
	}
}
