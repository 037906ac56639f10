package load

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
)

// sampleRead is how much of a body is kept as a sample, before what is secret in it has
// been taken out and the rest is cut: more than is shown, so that a secret at the cut is whole.
const sampleRead = 2 << 10

// sampled are the outcomes whose bodies are errors: others hold what customers were told,
// but for what a turn passed over that waited for something else.
const sampled = measure.OutcomeSet(1<<measure.RateLimited | 1<<measure.Shed | 1<<measure.ClientError | 1<<measure.ServerError |
	1<<measure.Truncated | 1<<measure.TransportError)

// sample keeps the body of an answer that is the first of its kind of failure, without
// what the conversation had from data tables.
func (w *worker) sample(c *conversation, f *measure.Failure, reply *driver.Reply) {
	s := &w.r.samples
	if len(reply.Body) == 0 || !sampled.Has(f.Outcome) && reply.Passed == 0 || !s.Lacks(f.Outcome, f.Message) {
		return
	}
	body := reply.Body[:min(len(reply.Body), sampleRead)]
	for len(body) < len(reply.Body) && len(body) > 0 && !utf8.RuneStart(reply.Body[len(body)]) {
		body = body[:len(body)-1]
	}
	text := string(bytes.ToValidUTF8(body, []byte("\uFFFD")))
	for i := range w.r.script.sources {
		for _, value := range w.r.script.sources[i].table[c.rows[i]] {
			text = withoutValue(text, value)
		}
	}
	s.Add(f.Outcome, f.Message, text)
}

// leastValue is how long a value of a data table must be to be looked for.
const leastValue = 3

// withoutValue masks every word that holds a value of a data table: part of a secret that
// is left would not be known for one any more.
func withoutValue(text, value string) string {
	if len(value) < leastValue {
		return text
	}
	var b strings.Builder
	for {
		i := strings.Index(text, value)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		from, to := i, i+len(value)
		for from > 0 && inWord(text[from-1]) {
			from--
		}
		for to < len(text) && inWord(text[to]) {
			to++
		}
		b.WriteString(text[:from])
		b.WriteString("***")
		text = text[to:]
	}
}

// inWord tells whether a byte may be of a secret as values are written in bodies.
func inWord(c byte) bool {
	return c > ' ' && c < utf8.RuneSelf && strings.IndexByte("\"'`,;{}[]()<>&", c) < 0
}
