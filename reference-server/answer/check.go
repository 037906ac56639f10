package answer

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Flaw is what may not leave the server in an answer.
type Flaw uint8

// The flaws.
const (
	ControlFlaw Flaw = iota // control characters, broken UTF-8, characters that cannot be seen
	BidiFlaw                // characters that turn the direction of text
	MarkupFlaw              // what a page would take for HTML, a Markdown link or a script
	PromptFlaw              // the words of the system prompt, plain, backwards or encoded

	NumFlaws // how many there are
)

var flawNames = [NumFlaws]string{"control", "bidi", "markup", "prompt"}

// String is the flaw's name in metrics.
func (f Flaw) String() string { return flawNames[f] }

// Flaws counts what was taken out, by flaw.
type Flaws [NumFlaws]int

// Total is the number of flaws.
func (f Flaws) Total() int {
	n := 0
	for _, c := range f {
		n += c
	}
	return n
}

const (
	// LeakText stands where an answer began to tell the system prompt.
	LeakText = "抱歉,这部分内容不便提供。购物、订单、优惠、物流和售后的问题都可以问我。"
	// NothingText stands for an answer of which nothing was left.
	NothingText = "抱歉,我暂时无法回答这个问题,您可以换个说法再问一次。"

	maxMarks = 2 // accents on one letter
)

// Check makes answers fit to be shown. Safe for concurrent use.
type Check struct {
	words, code *automaton // of the prompts
}

// NewCheck makes a check against system prompts.
func NewCheck(prompts ...string) *Check {
	var words, code []string
	for _, p := range prompts {
		s := secretsOf(p)
		words, code = append(words, s.words), append(code, s.code)
	}
	return &Check{words: newAutomaton(strings.Join(words, "\n")), code: newAutomaton(strings.Join(code, "\n"))}
}

// Clean returns the text as it may leave, and what was wrong with it.
func (c *Check) Clean(text string) (string, Flaws) {
	if text == "" {
		return "", Flaws{}
	}
	s := c.Stream()
	clean := s.Add(text)
	clean += s.End()
	return clean, s.Flaws()
}

// CheckStream cleans a text that comes in pieces; the pieces together are what
// Clean makes of the whole. One goroutine at a time.
type CheckStream struct {
	flaws       Flaws
	part        []byte // of a character that is not whole yet
	out         []byte // ready to leave
	held        []byte // may be the beginning of the prompt
	words, code trail  // of the prompt, in held

	last   rune   // that was kept
	marks  int    // accents since the last letter
	scheme string // ASCII letters right before
	shown  bool   // something that can be seen was let out
	leaked bool
}

// Stream begins a text.
func (c *Check) Stream() *CheckStream {
	return &CheckStream{words: trail{secret: c.words}, code: trail{secret: c.code}}
}

// Flaws counts what was wrong so far.
func (s *CheckStream) Flaws() Flaws { return s.flaws }

// Add takes a piece and returns what may leave by now.
func (s *CheckStream) Add(piece string) string {
	s.held, s.out = slices.Grow(s.held, len(piece)), slices.Grow(s.out, len(piece))
	s.part = append(s.part, piece...)
	text := s.part
	for len(text) > 0 && utf8.FullRune(text) {
		r, n := utf8.DecodeRune(text)
		s.rune(r, n)
		text = text[n:]
	}
	s.part = s.part[:copy(s.part, text)]
	s.release(s.secretFrom(len(s.held)))
	return s.take()
}

// End returns the rest.
func (s *CheckStream) End() string {
	for range s.part {
		s.rune(utf8.RuneError, 1)
	}
	s.part = nil
	s.release(len(s.held))
	if !s.shown && !s.leaked {
		s.out = append(s.out, NothingText...)
	}
	return s.take()
}

func (s *CheckStream) take() string {
	out := string(s.out)
	s.out = s.out[:0]
	return out
}

// rune takes the next character, of n bytes.
func (s *CheckStream) rune(r rune, n int) {
	if s.leaked {
		return
	}
	scheme := s.scheme
	r, flaw := s.allowed(r, n)
	if flaw < NumFlaws {
		s.flaws[flaw]++
	}
	if r == 0 {
		s.scheme = scheme // what is taken out parts no word
		return
	}
	s.last = r
	at := len(s.held)
	s.held = utf8.AppendRune(s.held, r)
	if !isWord(r) {
		return
	}
	if before := s.secretFrom(at); s.leaks(foldRune(r), at) {
		s.flaws[PromptFlaw]++
		s.release(before)
		s.leaked, s.held = true, nil
		s.out = append(s.out, LeakText...)
	}
}

// secretFrom is where what may be the beginning of the prompt begins in what is held,
// of which the first end bytes are looked at.
func (s *CheckStream) secretFrom(end int) int { return min(s.words.from(end), s.code.from(end)) }

// leaks says whether a letter at a place in held completes what gives the prompt
// away. Digits between the words of the prompt hide nothing.
func (s *CheckStream) leaks(r rune, at int) bool {
	words := (isHan(r) || !unicode.IsDigit(r)) && s.words.letter(r, at)
	if r >= utf8.RuneSelf {
		s.code.end()
		return words
	}
	return s.code.letter(r, at) || words
}

// release lets the first n bytes held out.
func (s *CheckStream) release(n int) {
	if n == 0 {
		return
	}
	s.shown = s.shown || len(bytes.TrimSpace(s.held[:n])) > 0
	s.out = append(s.out, s.held[:n]...)
	s.held = s.held[:copy(s.held, s.held[n:])]
	s.words.shift(n)
	s.code.shift(n)
}

// allowed is what may stand for a character, 0 for nothing, and its flaw,
// NumFlaws for none.
func (s *CheckStream) allowed(r rune, n int) (rune, Flaw) {
	if isHan(r) { // what most answers are made of
		s.scheme, s.marks = "", 0
		return r, NumFlaws
	}
	scheme := s.scheme
	if r != '\n' && r != '\t' { // which browsers skip within a scheme
		s.scheme = ""
	}
	if unicode.Is(unicode.Mn, r) && !isUnseen(r) && r != emojiStyle {
		if s.marks++; s.marks > maxMarks {
			return 0, ControlFlaw
		}
		return r, NumFlaws
	}
	s.marks = 0
	switch {
	case r == '\n', r == '\t':
		return r, NumFlaws
	case r == '\r':
		return 0, NumFlaws // of a line end
	case r == 0x2028, r == 0x2029:
		return '\n', ControlFlaw
	case isBidi(r):
		return 0, BidiFlaw
	case r == utf8.RuneError && n == 1, s.isControl(r):
		return 0, ControlFlaw
	case r == '<':
		return '＜', MarkupFlaw
	case r == '(' && s.last == ']':
		return '（', MarkupFlaw
	case r == ':' && (s.last == ']' || isScript(scheme)):
		return '：', MarkupFlaw
	case r < utf8.RuneSelf && unicode.IsLetter(r):
		s.scheme = scheme + string(unicode.ToLower(r))
		if len(s.scheme) > 16 {
			s.scheme = s.scheme[1:]
		}
	}
	return r, NumFlaws
}

// isControl says whether a character cannot be seen where it stands.
func (s *CheckStream) isControl(r rune) bool {
	switch r {
	case joiner:
		return !unicode.In(s.last, unicode.So, unicode.Sk) && s.last != emojiStyle
	case emojiStyle:
		return s.last == emojiStyle || s.last == joiner || unicode.IsSpace(s.last) || unicode.IsLetter(s.last)
	}
	return isUnseen(r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co) || r&0xfffe == 0xfffe
}

const (
	joiner     = 0x200d // makes one emoji of several
	emojiStyle = 0xfe0f
)

const (
	hanFirst = 0x4e00
	hanLast  = 0x9fff
)

func isHan(r rune) bool { return r >= hanFirst && r <= hanLast }

func isBidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c
}

// isUnseen says whether a character has no shape, or only picks one for another:
// whole messages hide in rows of them.
func isUnseen(r rune) bool {
	return r != emojiStyle && unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func isScript(scheme string) bool {
	return strings.HasSuffix(scheme, "javascript") || strings.HasSuffix(scheme, "vbscript") || scheme == "data"
}
