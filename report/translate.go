package report

import (
	"regexp"
	"strconv"
	"strings"
)

// Translator says what the judge wrote in English in the language of a reader.
// What it does not know, such as a server's own words, stays as it is. Safe for
// concurrent use.
type Translator struct{ messages []recognised }

// recognised is a message ready to be recognised.
type recognised struct {
	like *regexp.Regexp
	say  string
}

// mostNested bounds messages inside messages.
const mostNested = 4

// NewTranslator makes a Translator; that into English changes nothing.
func NewTranslator(lang Lang) *Translator {
	t := &Translator{}
	if lang != Chinese {
		return t
	}
	for _, m := range messages() {
		pattern := regexp.QuoteMeta(m.en)
		pattern = strings.ReplaceAll(pattern, "%v", `(pass|fail|inconclusive|not_verified)`)
		hole := `((?:[^;]|;[^ ])+?)` // within one message of a line
		if strings.Contains(m.en, "; ") {
			hole = `(.+?)`
		}
		pattern = strings.ReplaceAll(pattern, "%s", hole)
		t.messages = append(t.messages, recognised{regexp.MustCompile(`^` + pattern + `$`), m.zh})
	}
	return t
}

// Text is a reason or a warning in the reader's language.
func (t *Translator) Text(s string) string {
	out, _ := t.translate(s, 0)
	return out
}

// translate tells whether it knew all of s.
func (t *Translator) translate(s string, depth int) (string, bool) {
	if len(t.messages) == 0 || depth > mostNested || s == "" {
		return s, false
	}
	for _, m := range t.messages {
		if found := m.like.FindStringSubmatch(s); found != nil {
			return t.fill(m.say, found[1:], depth), true
		}
	}
	// An objective's name, or several messages in one line.
	if name, rest, ok := strings.Cut(s, ": "); ok && isName(name) {
		if said, all := t.translate(rest, depth+1); said != rest {
			return name + ":" + said, all
		}
	}
	parts := strings.Split(s, "; ")
	if len(parts) == 1 {
		return s, false
	}
	all, changed := true, false
	for i, part := range parts {
		said, ok := t.translate(part, depth+1)
		all, changed = all && ok, changed || said != part
		parts[i] = said
	}
	if !changed {
		return s, false
	}
	return strings.Join(parts, ";"), all
}

// fill puts what was found into the holes %1 to %9 of a message.
func (t *Translator) fill(say string, found []string, depth int) string {
	for i := len(found); i > 0; i-- {
		said, _ := t.translate(found[i-1], depth+1)
		say = strings.ReplaceAll(say, "%"+strconv.Itoa(i), strings.ReplaceAll(said, "%", "\x00"))
	}
	return strings.ReplaceAll(say, "\x00", "%")
}

// isName tells whether s may be an objective's name.
func isName(s string) bool {
	switch s {
	case "pass", "fail", "inconclusive", "not_verified":
		return false
	}
	return s != "" && !strings.ContainsAny(s, " ;")
}

// translated is the Document with the judge's texts in the reader's language.
// An objective's reason that is not known is said by its figures.
func translated(d *Document, lang Lang) *Document {
	if lang != Chinese {
		return d
	}
	t, w := NewTranslator(lang), wordsIn(lang)
	all := func(list []string) []string {
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = t.Text(s)
		}
		return out
	}
	c := *d
	c.Warnings, c.Generator.Reasons = all(d.Warnings), all(d.Generator.Reasons)
	c.Objectives = append([]Objective(nil), d.Objectives...)
	known := map[string]string{} // reasons of the run that are objectives'
	for i := range c.Objectives {
		o := &c.Objectives[i]
		line := o.Name + ": " + o.Reason
		if said, ok := t.translate(o.Reason, 0); ok {
			o.Reason = said
		} else {
			o.Reason = w.figures(*o)
		}
		known[line] = o.Name + ":" + o.Reason
	}
	c.Reasons = all(d.Reasons)
	for i, r := range d.Reasons {
		if said, ok := known[r]; ok {
			c.Reasons[i] = said
		}
	}
	return &c
}
