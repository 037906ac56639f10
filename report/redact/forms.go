package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"sort"
	"strings"
)

// Mark is printed in place of a secret.
const Mark = "[redacted]"

// minSecret is the shortest secret that is looked for: shorter ones would hide
// ordinary text.
const minSecret = 4

// scrub is s without the secrets of index.
func scrub(s string, index formIndex) string {
	var b strings.Builder
	w := &scrubber{out: &b, index: index}
	_, _ = io.WriteString(w, s) // a Builder takes everything
	_ = w.Close()
	return b.String()
}

// formIndex holds every form of some secrets by first byte, longest first.
type formIndex *[256][]string

func indexOf(secrets []string) formIndex {
	index := &[256][]string{}
	seen := map[string]bool{}
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			if len(form) >= minSecret && !seen[form] {
				seen[form] = true
				index[form[0]] = append(index[form[0]], form)
			}
		}
	}
	for i := range index {
		f := index[i]
		sort.Slice(f, func(a, b int) bool { return len(f[a]) > len(f[b]) || len(f[a]) == len(f[b]) && f[a] < f[b] })
	}
	return index
}

// scrubber passes everything on to out but the secrets, in raw, URL-, base64- (at
// every alignment), hex- and JSON-escaped form, also when a form arrives in
// pieces. Bytes that may begin a secret are held back until it is clear; Close
// passes them on and does not close out. Not safe for concurrent use.
type scrubber struct {
	out   io.Writer
	index formIndex
	held  []byte
}

// Write reports all of p as written once it is passed on or held.
func (s *scrubber) Write(p []byte) (int, error) {
	s.held = append(s.held, p...)
	if err := s.pass(false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close passes on what was held back.
func (s *scrubber) Close() error { return s.pass(true) }

func (s *scrubber) pass(final bool) error {
	var clean []byte
	i := 0
scan:
	for i < len(s.held) {
		rest := s.held[i:]
		for _, form := range s.index[rest[0]] {
			if len(rest) < len(form) {
				if !final && form[:len(rest)] == string(rest) {
					break scan
				}
			} else if string(rest[:len(form)]) == form {
				clean = append(clean, Mark...)
				i += len(form)
				continue scan
			}
		}
		clean = append(clean, rest[0])
		i++
	}
	s.held = append(s.held[:0], s.held[i:]...)
	if len(clean) == 0 {
		return nil
	}
	_, err := s.out.Write(clean)
	return err
}

// forms are the spellings in which a secret may come out.
func forms(secret string) []string {
	if len(secret) < minSecret {
		return nil
	}
	raw := []byte(secret)
	out := []string{secret, hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw))}
	for _, escaped := range []string{url.QueryEscape(secret), url.PathEscape(secret), url.UserPassword("", secret).String()[1:], percentAll(raw)} {
		out = append(out, escaped, lowerPercent(escaped))
	}
	for _, html := range []bool{true, false} {
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(html)
		_ = e.Encode(secret) // a string always encodes
		quoted := strings.TrimSuffix(b.String(), "\n")
		quoted = quoted[1 : len(quoted)-1]
		out = append(out, quoted, asciiJSON(quoted))
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		out = append(out, enc.EncodeToString(raw))
		for shift := range 3 {
			// Inside a longer text (user:secret) the secret begins at any of three
			// alignments; the letters that its bytes alone decide are the same in all.
			letters := enc.EncodeToString(append(make([]byte, shift), raw...))
			from, to := (shift*8+5)/6, (shift+len(raw))*8/6
			if to-from >= 2*minSecret {
				out = append(out, letters[from:to])
			}
		}
	}
	return out
}

func percentAll(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, "%%%02X", c)
	}
	return s.String()
}

// lowerPercent turns %2F into %2f.
func lowerPercent(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
			i += 2
		}
	}
	return string(b)
}

// asciiJSON spells everything outside ASCII as \uXXXX, as many encoders do.
func asciiJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
