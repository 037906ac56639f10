package derive

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cstest/cstest/reason"
)

// commands splits lines into the words of their commands as a POSIX shell does, with
// $'…' of bash; a variable becomes ${env:NAME}. A command ends at an unquoted ; or &,
// and before a line that begins with curl; what stands behind | or > is left out. Of
// commands for cmd.exe, as browsers copy them, the carets go first.
func commands(lines string) (list [][]string, err error) {
	if strings.Contains(lines, `^"`) {
		lines = uncaret(lines)
	}
	s := splitter{rest: lines}
	for s.rest != "" {
		end, err := s.step()
		if err != nil {
			return nil, err
		}
		if !end {
			continue
		}
		if at := strings.IndexAny(s.rest, ";&\n"); at < 0 {
			s.rest = ""
		} else {
			s.rest = strings.TrimLeft(s.rest[at:], ";& \t\r\n")
		}
		if w := s.done(); len(w) > 0 {
			list = append(list, w)
		}
	}
	if w := s.done(); len(w) > 0 {
		list = append(list, w)
	}
	return list, nil
}

type splitter struct {
	rest string
	word strings.Builder
	open bool // a word has begun, be it empty
	out  []string
}

func (s *splitter) done() []string {
	s.end()
	out := s.out
	s.out = nil
	return out
}

func (s *splitter) end() {
	if s.open {
		s.out = append(s.out, s.word.String())
	}
	s.word.Reset()
	s.open = false
}

var nextCommand = regexp.MustCompile(`^\r?\n\s*curl(?:\.exe)?\s`)

// step takes the next piece; end is true where the command is over.
func (s *splitter) step() (end bool, err error) {
	c := s.rest[0]
	switch {
	case c == '\n' && len(s.out) > 0 && nextCommand.MatchString(s.rest):
		return true, nil
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		s.end()
		s.rest = s.rest[1:]
	case c == '|' || c == ';' || c == '&' || c == '>':
		return true, nil
	case c == '#' && !s.open:
		_, s.rest, _ = strings.Cut(s.rest, "\n")
	case c == '\\':
		return false, s.escaped()
	case c == '\'':
		text, rest, closed := strings.Cut(s.rest[1:], "'")
		if !closed {
			return false, reason.Errorf("a ' is not closed")
		}
		s.take(literal(text), rest)
	case c == '"':
		return false, s.quoted()
	case strings.HasPrefix(s.rest, "$'"):
		return false, s.ansi()
	case c == '$':
		s.variable()
	default:
		_, size := utf8.DecodeRuneInString(s.rest)
		s.take(s.rest[:size], s.rest[size:])
	}
	return false, nil
}

func (s *splitter) take(text, rest string) {
	s.open = true
	s.word.WriteString(text)
	s.rest = rest
}

func (s *splitter) escaped() error {
	rest := s.rest[1:]
	switch {
	case rest == "":
		return reason.Errorf("it ends in a backslash")
	case strings.HasPrefix(rest, "\r\n"):
		s.rest = rest[2:]
	case rest[0] == '\n':
		s.rest = rest[1:]
	default:
		_, size := utf8.DecodeRuneInString(rest)
		s.take(rest[:size], rest[size:])
	}
	return nil
}

// quoted takes "…": a backslash escapes $, `, ", \ and the line end.
func (s *splitter) quoted() error {
	s.take("", s.rest[1:])
	for s.rest != "" {
		switch c := s.rest[0]; {
		case c == '"':
			s.rest = s.rest[1:]
			return nil
		case c == '\\' && len(s.rest) > 1 && strings.IndexByte("$`\"\\", s.rest[1]) >= 0:
			s.take(s.rest[1:2], s.rest[2:])
		case c == '\\' && strings.HasPrefix(s.rest, "\\\n"):
			s.rest = s.rest[2:]
		case c == '$':
			s.variable()
		default:
			_, size := utf8.DecodeRuneInString(s.rest)
			s.take(s.rest[:size], s.rest[size:])
		}
	}
	return reason.Errorf(`a " is not closed`)
}

// variable takes $NAME or ${NAME}; a lone $ is one.
func (s *splitter) variable() {
	rest := s.rest[1:]
	var name, after string
	if strings.HasPrefix(rest, "{") {
		var closed bool
		if name, after, closed = strings.Cut(rest[1:], "}"); !closed {
			name = ""
		}
	} else {
		n := 0
		for n < len(rest) && isNameByte(rest[n]) {
			n++
		}
		name, after = rest[:n], rest[n:]
	}
	if name == "" || strings.IndexFunc(name, func(r rune) bool { return r > 0x7f || !isNameByte(byte(r)) }) >= 0 || name[0] >= '0' && name[0] <= '9' || len(name) > 256 {
		if strings.HasPrefix(rest, "{") {
			s.take("$${", rest[1:])
			return
		}
		s.take("$", rest)
		return
	}
	s.take("${env:"+name+"}", after)
}

func isNameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// ansi takes $'…' (bash, "ANSI-C quoting").
func (s *splitter) ansi() error {
	rest := s.rest[2:]
	var b strings.Builder
	for {
		i := strings.IndexAny(rest, `'\`)
		if i < 0 {
			return reason.Errorf("a $' is not closed")
		}
		b.WriteString(rest[:i])
		if rest[i] == '\'' {
			s.take(literal(b.String()), rest[i+1:])
			return nil
		}
		if i+1 == len(rest) {
			return reason.Errorf("a $' is not closed")
		}
		rest = ansiEscape(&b, rest[i+1:])
	}
}

// ansiEscape writes what a backslash stands before, and gives what is behind.
func ansiEscape(b *strings.Builder, rest string) string {
	switch c := rest[0]; c {
	case 'n', 't', 'r', 'b', 'f', 'a', 'v', 'e':
		b.WriteByte(map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', 'a': '\a', 'v': '\v', 'e': 0x1b}[c])
		return rest[1:]
	case 'x', 'u', 'U':
		most := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
		n := 0
		for n < most && 1+n < len(rest) && isHex(rest[1+n]) {
			n++
		}
		v, err := strconv.ParseUint(rest[1:1+n], 16, 32)
		switch {
		case err != nil:
			b.WriteString(rest[:1+n])
		case c == 'x':
			b.WriteByte(byte(v))
		default:
			b.WriteRune(rune(v))
		}
		return rest[1+n:]
	default:
		_, size := utf8.DecodeRuneInString(rest)
		b.WriteString(rest[:size])
		return rest[size:]
	}
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// uncaret is a command as cmd.exe hands it on: a caret escapes what follows, at the
// end of a line the line end.
func uncaret(line string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(line, "^")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		after = strings.TrimPrefix(after, "\r")
		if after == "" {
			return b.String()
		}
		if after[0] == '\n' {
			after = after[1:]
			if strings.HasPrefix(strings.TrimLeft(after, " "), "-") {
				b.WriteByte(' ')
			}
			line = after
			continue
		}
		_, size := utf8.DecodeRuneInString(after)
		b.WriteString(after[:size])
		line = after[size:]
	}
}
