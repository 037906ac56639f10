package answer

import (
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
	PromptFlaw              // the words of the system prompt

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

	leakLength = 12 // letters of the prompt in a row that give it away
	maxMarks   = 2  // accents on one letter
)

// Check makes answers fit to be shown. Safe for concurrent use.
type Check struct {
	secret string // letters and digits of the prompt, folded
}

// NewCheck makes a check against a system prompt.
func NewCheck(prompt string) *Check {
	var b strings.Builder
	for _, r := range prompt {
		if isWord(r) {
			b.WriteRune(foldRune(r))
		}
	}
	return &Check{secret: b.String()}
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

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
	check  *Check
	flaws  Flaws
	part   []byte // of a character that is not whole yet
	out    []byte // ready to leave
	held   []byte // may be the beginning of the prompt
	leak   []rune // the letters in held, which stand in the prompt
	starts []int  // where each of them begins in held

	last   rune   // that was kept
	marks  int    // accents since the last letter
	scheme string // ASCII letters right before
	shown  bool   // something that can be seen was let out
	leaked bool
}

// Stream begins a text.
func (c *Check) Stream() *CheckStream { return &CheckStream{check: c} }

// Flaws counts what was wrong so far.
func (s *CheckStream) Flaws() Flaws { return s.flaws }

// Add takes a piece and returns what may leave by now.
func (s *CheckStream) Add(piece string) string {
	s.part = append(s.part, piece...)
	text := s.part
	for len(text) > 0 && utf8.FullRune(text) {
		r, n := utf8.DecodeRune(text)
		s.rune(r, n)
		text = text[n:]
	}
	s.part = s.part[:copy(s.part, text)]
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
	if !isWord(r) {
		s.held = utf8.AppendRune(s.held, r)
		if len(s.leak) == 0 {
			s.release(len(s.held))
		}
		return
	}
	s.letter(foldRune(r), len(s.held))
	s.held = utf8.AppendRune(s.held, r)
	switch {
	case len(s.leak) >= leakLength:
		s.flaws[PromptFlaw]++
		s.leaked, s.held = true, nil
		s.out = append(s.out, LeakText...)
	case len(s.leak) == 0:
		s.release(len(s.held))
	default:
		s.release(s.starts[0])
	}
}

// letter extends the letters that stand in the prompt one after the other, or
// drops from their beginning until they do.
func (s *CheckStream) letter(r rune, at int) {
	s.leak, s.starts = append(s.leak, r), append(s.starts, at)
	for len(s.leak) > 0 && !strings.Contains(s.check.secret, string(s.leak)) {
		s.leak, s.starts = s.leak[1:], s.starts[1:]
	}
}

// release lets the first n bytes held out.
func (s *CheckStream) release(n int) {
	if n == 0 {
		return
	}
	s.shown = s.shown || strings.TrimSpace(string(s.held[:n])) != ""
	s.out = append(s.out, s.held[:n]...)
	s.held = s.held[:copy(s.held, s.held[n:])]
	for i := range s.starts {
		s.starts[i] -= n
	}
}

// allowed is what may stand for a character, 0 for nothing, and its flaw,
// NumFlaws for none.
func (s *CheckStream) allowed(r rune, n int) (rune, Flaw) {
	scheme := s.scheme
	if r != '\n' && r != '\t' { // which browsers skip within a scheme
		s.scheme = ""
	}
	if unicode.Is(unicode.Mn, r) && r != emojiStyle {
		if s.marks++; s.marks > maxMarks {
			return 0, ControlFlaw
		}
		return r, NumFlaws
	}
	s.marks = 0
	switch {
	case r == utf8.RuneError && n == 1:
		return 0, ControlFlaw
	case r == '\n', r == '\t':
		return r, NumFlaws
	case r == '\r':
		return 0, NumFlaws // of a line end
	case r == 0x2028, r == 0x2029:
		return '\n', ControlFlaw
	case isBidi(r):
		return 0, BidiFlaw
	case r == joiner && (unicode.Is(unicode.So, s.last) || unicode.Is(unicode.Sk, s.last) || s.last == emojiStyle):
		return r, NumFlaws
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co), r&0xfffe == 0xfffe, isFiller(r):
		return 0, ControlFlaw
	case r == '<':
		return '＜', MarkupFlaw
	case r == '(' && s.last == ']':
		return '（', MarkupFlaw
	case r == ':' && isScript(scheme):
		return '：', MarkupFlaw
	case r < utf8.RuneSelf && unicode.IsLetter(r):
		s.scheme = scheme + string(unicode.ToLower(r))
		if len(s.scheme) > 16 {
			s.scheme = s.scheme[1:]
		}
	}
	return r, NumFlaws
}

const (
	joiner     = 0x200d // makes one emoji of several
	emojiStyle = 0xfe0f
)

func isBidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c
}

// isFiller says whether a letter has no shape.
func isFiller(r rune) bool {
	return r == 0x115f || r == 0x1160 || r == 0x3164 || r == 0xffa0 || r == 0x17b4 || r == 0x17b5
}

func isScript(scheme string) bool {
	return strings.HasSuffix(scheme, "javascript") || strings.HasSuffix(scheme, "vbscript") || scheme == "data"
}
