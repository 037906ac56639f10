// Package pii finds and masks personal data of mainland China in what customers
// and models write: phone numbers, ids, cards, mail addresses, plates and names.
package pii

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind is a kind of personal data.
type Kind uint8

// The kinds.
const (
	Mobile Kind = iota
	Landline
	ResidentID
	BankCard
	Email
	Plate
	Name

	NumKinds // how many there are
)

var kindNames = [NumKinds]string{"mobile", "landline", "resident_id", "bank_card", "email", "plate", "name"}

// String is the kind's name in logs and metrics.
func (k Kind) String() string { return kindNames[k] }

// Found counts what was masked, by kind: all that ever leaves this package
// about a value.
type Found [NumKinds]int

// Total is the number of values that were masked.
func (f Found) Total() int {
	n := 0
	for _, c := range f {
		n += c
	}
	return n
}

// Masker replaces personal data by asterisks, one for each character, in time
// linear in the text. Numbers are recognised by form, check digits and the words
// before them; names only beside words that announce one, since surnames alone
// would destroy 包邮, 费用, 单号 and 金额. Safe for concurrent use.
type Masker struct {
	names nameFinder
}

// New makes a masker.
func New() *Masker { return &Masker{names: newNameFinder()} }

// Mask returns text with personal data replaced, and what was found. Text
// without any comes back as it is. Nothing is recognised across the end of a
// segment, so masking segments one by one gives the same.
func (m *Masker) Mask(text string) (string, Found) {
	var found Found
	if !m.suspicious(text) {
		return text, found
	}
	var b strings.Builder
	b.Grow(len(text))
	for rest := text; rest != ""; {
		n := segment(rest)
		m.maskSegment(&b, rest[:n], &found)
		rest = rest[n:]
	}
	return b.String(), found
}

// endsSegment are the characters after which nothing of a value can follow.
func endsSegment(r rune) bool {
	switch r {
	case '\n', ',', '，', '。', '!', '！', '?', '？', ';', '；', '、':
		return true
	}
	return false
}

// segment is the length of the first segment, its end included.
func segment(text string) int {
	for i, r := range text {
		if endsSegment(r) {
			return i + utf8.RuneLen(r)
		}
	}
	return len(text)
}

const loneBytes = 12 // of four Chinese characters

// suspicious is one cheap look: false means that nothing can be found.
func (m *Masker) suspicious(text string) bool {
	digits, from := 0, 0
	var last rune
	for i, r := range text {
		switch {
		case (r == ',' || r == '，') && i-from <= loneBytes && m.names.lone([]rune(text[from:i])):
			return true
		case isNumeral(r):
			if digits++; digits >= minDigits {
				return true
			}
		case r == '@', r == '＠':
			return true
		case r >= hanFirst && m.names.hint(r):
			return true
		case isLetter(foldRune(r)) && platePlaces[last] != 0:
			return true
		}
		if !invisible(r) {
			last = r
		}
		if endsSegment(r) {
			from = i + utf8.RuneLen(r)
		}
	}
	return false
}

func (m *Masker) maskSegment(b *strings.Builder, text string, found *Found) {
	if !m.suspicious(text) {
		b.WriteString(text)
		return
	}
	last := 0
	f := m.search(text)
	for _, s := range f.spans {
		b.WriteString(text[last:s.from])
		for range utf8.RuneCountInString(text[s.from:s.to]) {
			b.WriteByte('*')
		}
		found[s.kind]++
		last = s.to
	}
	b.WriteString(text[last:])
	foldings.Put(f)
}

// search finds the values in a segment; its spans are by byte, in order.
func (m *Masker) search(text string) *folded {
	f := fold(text)
	// A value that was found is blanked, so that the next finder sees where it
	// stood and cannot find it again.
	addresses, _ := emails(f.runes)
	f.take(Email, addresses)
	f.take(Plate, plates(f.runes))
	f.spelledMobiles()
	f.numbers()
	f.take(Name, m.names.find(f.runes))
	for i, s := range f.spans {
		f.spans[i].from, f.spans[i].to = f.from[s.from], f.to[s.to-1]
	}
	slices.SortFunc(f.spans, func(a, b span) int { return a.from - b.from })
	return f
}
