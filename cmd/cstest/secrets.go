package main

import (
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/redact"
)

// redactor knows the secrets of a scenario: what comes from outside, and the
// password of a Redis URL given with a flag.
func (c *chosen) redactor() (*redact.Redactor, error) {
	resolved, err := c.Resolved()
	if err != nil {
		return nil, err
	}
	var secrets []string
	fromOutside := regexp.MustCompile(`\$\{((?:env|file):[^}]+)\}`)
	for _, m := range fromOutside.FindAllStringSubmatch(string(resolved), -1) {
		if s, err := c.Secret(m[1]); err == nil { // one that cannot be had is told by CheckSecrets
			secrets = append(secrets, s)
		}
	}
	if b := c.Target.Bundled; b != nil {
		if u, err := url.Parse(b.Redis); err == nil && u.User != nil {
			secrets = append(secrets, b.Redis)
		}
	}
	return redact.New(secrets), nil
}

// resolved is the scenario with every default filled in, fit to be written down:
// the password of a Redis URL is not in it.
func (c *chosen) resolved() ([]byte, error) {
	text, err := c.Resolved()
	if err != nil || c.Target.Bundled == nil {
		return text, err
	}
	redis := c.Target.Bundled.Redis
	if u, err := url.Parse(redis); err == nil && u.User != nil {
		u.User = url.User(redact.Mark)
		return []byte(strings.ReplaceAll(string(text), redis, u.String())), nil
	}
	return text, nil
}

// clean gives streams that let no secret through. What was written is whole
// once flush was called.
func (s streams) clean(r *redact.Redactor) (_ streams, flush func()) {
	out, errs := newCleanWriter(s.out, r), newCleanWriter(s.err, r)
	return streams{in: s.in, out: out, err: errs, raw: s.raw, lang: s.lang}, func() {
		out.passOn()
		errs.passOn()
	}
}

// cleanWriter scrubs what goes to out. Safe for concurrent use.
type cleanWriter struct {
	mu    sync.Mutex
	out   io.Writer
	scrub io.WriteCloser
}

func newCleanWriter(out io.Writer, r *redact.Redactor) *cleanWriter {
	return &cleanWriter{out: out, scrub: r.Writer(out)}
}

func (w *cleanWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.scrub.Write(p)
}

// passOn writes what was held back.
func (w *cleanWriter) passOn() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.scrub.Close() // an error to write was told when it happened
}

// unscrubbed is w without the scrubbing, for what is clean already and must not
// be touched: a short secret may be a word of JSON.
func unscrubbed(w io.Writer) io.Writer {
	if c, ok := w.(*cleanWriter); ok {
		return c.out
	}
	return w
}

// cleanError is an error with clean applied to what it says.
type cleanError struct {
	error
	clean func(string) string
}

func (e cleanError) Error() string { return e.clean(e.error.Error()) }

// Text is what it says in a language.
func (e cleanError) Text(lang reason.Lang) string {
	return e.clean(reason.TextOf(e.error, lang))
}

func (e cleanError) Unwrap() error { return e.error }

// cleaned takes secrets out of what an error says.
func cleaned(err error, r *redact.Redactor) error {
	if err == nil {
		return nil
	}
	if r.Text(err.Error()) != err.Error() {
		return cleanError{err, r.Text}
	}
	return err
}
