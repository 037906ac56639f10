package mockllm

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// Bounds of a configuration.
const (
	maxFaults   = 256
	maxAnswers  = 1024
	maxModels   = 256
	maxText     = 64 << 10
	maxBodySize = 64 << 20
	maxRecords  = 1_000_000
)

// problems collects what is wrong, each with the path of its field.
type problems struct{ list []error }

func (p *problems) add(path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + ": " + text
	}
	p.list = append(p.list, errors.New(text))
}

func (p *problems) join() error { return errors.Join(p.list...) }

// Validate reports every problem of the configuration, one a line, each as
// "field: what to do". nil means Start can only fail on its sockets.
func (c Config) Validate() error {
	var p problems
	c = c.withDefaults()
	c.Latency.validate(&p, "latency")
	c.Capacity.validate(&p, "capacity")
	if c.Connect < 0 || c.Connect.D() > maxDelay {
		p.add("connect", "must be from 0s to %s", maxDelay)
	}
	if c.ContextTokens < 1 {
		p.add("context_tokens", "must be at least 1")
	}
	if c.MaxBody < 1 || c.MaxBody > maxBodySize {
		p.add("max_body", "must be from 1B to 64MiB")
	}
	if c.JournalRecords < 1 || c.JournalRecords > maxRecords {
		p.add("journal_records", "must be from 1 to 1M")
	}
	c.validateModels(&p)
	c.validateAnswers(&p)
	validateFaults(&p, c.Faults)
	c.validateAdmin(&p)
	return p.join()
}

func (c Config) validateModels(p *problems) {
	if len(c.Models) > maxModels {
		p.add("models", "has more than %d names", maxModels)
	}
	for i, m := range c.Models {
		if m == "" || len(m) > maxModelLen || !utf8.ValidString(m) {
			p.add(fmt.Sprintf("models[%d]", i), "must be 1 to %d bytes of UTF-8", maxModelLen)
		}
	}
}

func (c Config) validateAnswers(p *problems) {
	if len(c.Answers) > maxAnswers {
		p.add("answers", "has more than %d entries", maxAnswers)
	}
	for i, a := range c.Answers {
		at := fmt.Sprintf("answers[%d]", i)
		if _, err := regexp.Compile(a.Match); err != nil {
			p.add(at+".match", "not a regular expression: %v", err)
		}
		if a.Say == "" || len(a.Say) > maxText || !utf8.ValidString(a.Say) {
			p.add(at+".say", "must be 1 to %d bytes of UTF-8", maxText)
		}
		if len(a.Tool) > 64 || !utf8.ValidString(a.Tool) {
			p.add(at+".tool", "must be at most 64 bytes of UTF-8")
		}
		if a.Arguments != "" && (a.Tool == "" || len(a.Arguments) > maxText || !utf8.ValidString(a.Arguments) || !gjson.Valid(a.Arguments) || !gjson.Parse(a.Arguments).IsObject()) {
			p.add(at+".arguments", "must be a JSON object as text of at most %d bytes, and needs tool", maxText)
		}
	}
}

func (c Config) validateAdmin(p *problems) {
	if c.AdminToken == "" && !loopback(c.AdminListen) {
		p.add("admin_listen", "%s is not a loopback address: set admin_token too", c.AdminListen)
	}
	if c.AdminToken != "" && len(c.AdminToken) < 16 {
		p.add("admin_token", "must be at least 16 characters")
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

func (l Latency) validate(p *problems, path string) {
	whole := Dist{Constant: l.Constant, Uniform: l.Uniform, Median: l.Median, P99: l.P99}
	if l.FirstToken == nil && l.PerToken == nil {
		whole.validate(p, path)
		return
	}
	if whole != (Dist{}) {
		p.add(path, "use either first_token and per_token or a distribution of the whole, not both")
	}
	if l.FirstToken != nil {
		l.FirstToken.validate(p, path+".first_token")
	}
	if l.PerToken != nil {
		l.PerToken.validate(p, path+".per_token")
	}
}

func (d Dist) validate(p *problems, path string) {
	forms := 0
	if d.Constant != 0 {
		forms++
	}
	if d.Uniform != nil {
		forms++
		if d.Uniform.Min < 0 || d.Uniform.Max < d.Uniform.Min {
			p.add(path+".uniform", "min must be at least 0s and max at least min")
		}
	}
	if d.Median != 0 || d.P99 != 0 {
		forms++
		if d.Median <= 0 || d.P99 < d.Median {
			p.add(path, "median must be above 0s and p99 at least the median")
		}
	}
	if forms > 1 {
		p.add(path, "use one of constant, uniform, or median with p99")
	}
	longest := max(d.Constant, d.Median, d.P99)
	if d.Uniform != nil {
		longest = max(longest, d.Uniform.Max)
	}
	if d.Constant < 0 || longest.D() > maxDelay {
		p.add(path, "must be from 0s to %s", maxDelay)
	}
}

func (c Capacity) validate(p *problems, path string) {
	if c.MaxInFlight < 0 || c.Queue < 0 {
		p.add(path, "max_in_flight and queue must not be negative")
	}
	if c.MaxInFlight == 0 && c != (Capacity{}) {
		p.add(path+".max_in_flight", "must be set for the rest of capacity to mean something")
	}
	if c.Slowdown != 0 && !(c.Slowdown >= 1 && c.Slowdown <= 1000) {
		p.add(path+".slowdown", "must be a factor from 1 to 1000")
	}
	if c.RetryAfter < 0 {
		p.add(path+".retry_after", "must not be negative")
	}
}

func validateFaults(p *problems, faults []Fault) {
	if len(faults) > maxFaults {
		p.add("faults", "has more than %d entries", maxFaults)
	}
	for i, f := range faults {
		f.validate(p, fmt.Sprintf("faults[%d]", i))
	}
}

func (f Fault) validate(p *problems, path string) {
	k := kindOf(f.Kind)
	if k == kindNone {
		p.add(path+".kind", "must be one of %s", strings.Join(Kinds(), ", "))
		return
	}
	if len(f.Name) > 128 || !utf8.ValidString(f.Name) {
		p.add(path+".name", "must be at most 128 bytes of UTF-8")
	}
	if f.At < 0 || f.For < 0 || f.Ramp < 0 || f.RetryAfter < 0 || f.Heartbeat < 0 {
		p.add(path, "at, for, ramp, retry_after and heartbeat must not be negative")
	}
	if !(f.Share >= 0 && f.Share <= 1) {
		p.add(path+".share", "must be from 0%% to 100%%")
	}
	if f.For > 0 && f.Ramp > f.For {
		p.add(path+".ramp", "must not be longer than for")
	}
	if f.Flap != nil && (f.Flap.On.D() < time.Millisecond || f.Flap.Off.D() < time.Millisecond) {
		p.add(path+".flap", "on and off must be at least 1ms each")
	}
	f.validateOptions(p, path, k)
}

func (f Fault) validateOptions(p *problems, path string, k kind) {
	low := 400
	if k == kindHTML {
		low = 200
	}
	if f.Status != 0 && (f.Status < low || f.Status > 599) {
		p.add(path+".status", "must be from %d to 599", low)
	}
	if f.Factor != 0 && !(f.Factor > 0 && f.Factor <= 10_000) {
		p.add(path+".factor", "must be above 0 and at most 10000")
	}
	if f.Chunks < 0 || f.Attempts < 0 || f.Attempts > 1000 {
		p.add(path, "chunks and attempts must not be negative, attempts at most 1000")
	}
	if f.BytesPerS < 0 || f.BytesPerS > 1<<20 {
		p.add(path+".bytes_per_s", "must be from 1B to 1MiB")
	}
	if f.Size < 0 || f.Size > 4<<30 {
		p.add(path+".size", "must be at most 4GiB")
	}
	if len(f.Value) > maxText || !utf8.ValidString(f.Value) {
		p.add(path+".value", "must be at most %d bytes of UTF-8", maxText)
	}
	if k == kindEmpty && f.Value != "" && f.Value != "body" && f.Value != "choices" && f.Value != "content" {
		p.add(path+".value", "must be body, choices or content")
	}
	if f.RetryAfter > 0 && f.RetryAfterText != "" {
		p.add(path+".retry_after_text", "cannot be combined with retry_after")
	}
	for i := range len(f.RetryAfterText) {
		if c := f.RetryAfterText[i]; c < ' ' || c > '~' || i > 256 {
			p.add(path+".retry_after_text", "must be at most 256 printable ASCII characters")
			break
		}
	}
	f.validateForeign(p, path, k)
}

// validateForeign refuses options that mean nothing to the kind: most likely a
// mistake that would quietly test something else.
func (f Fault) validateForeign(p *problems, path string, k kind) {
	in := func(kinds ...kind) bool {
		for _, want := range kinds {
			if k == want {
				return true
			}
		}
		return false
	}
	for _, o := range []struct {
		name string
		set  bool
		ok   bool
	}{
		{"status", f.Status != 0, in(kindStatus, kindFailFirst, kindHTML, kindErrorInStream)},
		{"retry_after", f.RetryAfter != 0, in(kindStatus, kindFailFirst)},
		{"retry_after_text", f.RetryAfterText != "", in(kindStatus, kindFailFirst)},
		{"factor", f.Factor != 0, in(kindSlow)},
		{"chunks", f.Chunks != 0, in(kindTruncate, kindReset, kindErrorInStream, kindGarbage)},
		{"bytes_per_s", f.BytesPerS != 0, in(kindDrip)},
		{"attempts", f.Attempts != 0, in(kindFailFirst)},
		{"size", f.Size != 0, in(kindOversized)},
		{"heartbeat", f.Heartbeat != 0, in(kindHang)},
		{"value", f.Value != "", in(kindLeak, kindEscape, kindHTML, kindEmpty)},
	} {
		if o.set && !o.ok {
			p.add(path+"."+o.name, "means nothing to kind %s", f.Kind)
		}
	}
}
