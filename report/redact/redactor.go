// Package redact takes secrets out of texts that others wrote: those it is told, in every
// spelling, and what looks like one.
package redact

import (
	"io"
	"net/url"
	"regexp"
	"strings"
)

// Redactor takes secrets out of texts that others wrote, such as a server's
// error messages: those it knows, in every form that scrubber finds, and what looks
// like one whoever made it: a bearer token, a JSON Web Token, the user and
// password of a URL. Safe for concurrent use.
type Redactor struct {
	secrets formIndex
	looks   []look
}

type look struct {
	like    *regexp.Regexp
	instead string
}

// New makes a Redactor of the secrets that are known. A line of a secret
// of several lines counts as a secret too, and so does the password of one that
// is a URL.
func New(secrets []string) *Redactor {
	var all []string
	for _, s := range secrets {
		all = append(all, s)
		if lines := strings.Fields(s); len(lines) > 1 {
			for _, line := range lines {
				if len(line) >= minLine {
					all = append(all, line)
				}
			}
		}
		if u, err := url.Parse(s); err == nil && u.User != nil {
			if password, ok := u.User.Password(); ok {
				all = append(all, password)
			}
		}
	}
	return &Redactor{indexOf(all), []look{
		{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}`), "$1 " + Mark},
		{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)?`), Mark},
		{regexp.MustCompile(`(://)[^/?#\s@:"]*:[^/?#\s@"]+@`), "$1" + Mark + "@"},
	}}
}

// Text is s without secrets. A secret that s was cut in the middle of goes too.
func (r *Redactor) Text(s string) string {
	s = scrub(s, r.secrets)
	tail := strings.TrimSuffix(s, "…")
	for i := max(0, len(tail)-longestTail); i+minTail <= len(tail); i++ {
		if begins(r.secrets, tail[i:]) {
			s = tail[:i] + Mark + s[len(tail):]
			break
		}
	}
	for _, l := range r.looks {
		s = l.like.ReplaceAllString(s, l.instead)
	}
	return s
}

// Writer passes everything on to out but the secrets. What may begin one is held
// back until it is clear; Close passes it on and does not close out. Not safe for
// concurrent use.
func (r *Redactor) Writer(out io.Writer) io.WriteCloser {
	return &scrubber{out: out, index: r.secrets}
}

const (
	minLine     = 16  // bytes of a line of a secret that is one of its own
	minTail     = 6   // bytes of a secret that a text may end in
	longestTail = 512 // of a text that are looked at for that
)

// begins tells whether a form goes on from s.
func begins(index formIndex, s string) bool {
	for _, form := range index[s[0]] {
		if len(form) > len(s) && strings.HasPrefix(form, s) {
			return true
		}
	}
	return false
}
