package answer

import (
	_ "embed"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pieces appends the hashes of what a plain text is made of: each character, each pair,
// its beginning and end being characters too, and each two with one between them; words
// of Latin letters; pairs of syllables as they are said, so that 头诉 and tou su are 投诉;
// and notions. A digit is any digit. The last one is the shape of the whole: whether it
// asks, whether it speaks of me, and how long it is, roughly.
//
//go:norace
func pieces(list []uint32, text string) []uint32 {
	const edge = '^'
	before, earlier := edge, rune(0)
	first := len(list)
	shape := uint32(0)
	letter := func(r rune) {
		switch r {
		case '吗', '怎', '哪', '几', '多':
			shape |= 1
		case '我', '帮', '把', '给', '请', '别':
			shape |= 2
		}
		list = append(list, pieceHash(ofOne, 0, uint32(r)), pieceHash(ofTwo, uint32(before), uint32(r)))
		if earlier != 0 {
			list = append(list, pieceHash(ofSkip, uint32(earlier), uint32(r)))
		}
		earlier, before = before, r
	}
	said := uint16(0) // the syllable before
	syllable := func(s uint16) {
		if said != 0 && s != 0 {
			list = append(list, pieceHash(ofSounds, uint32(said), uint32(s)))
		}
		said = s
	}
	wordBefore := uint32(0)
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case isLatin(r):
			n = latin(text[i:])
			word := text[i : i+n]
			for _, r := range word {
				letter(r)
			}
			w := wordHash(word)
			list = append(list, pieceHash(ofWord, 0, w), pieceHash(ofWord, wordBefore, w))
			wordBefore = w
			spell(word, syllable)
		case unicode.IsDigit(r):
			letter('0')
			syllable(0)
		case unicode.IsLetter(r):
			letter(r)
			syllable(sounds.of[r])
			wordBefore = 0
		case r != ' ':
			said = 0
			if r == '?' {
				shape |= 1
			}
		}
		i += n
	}
	list = append(list, pieceHash(ofTwo, uint32(before), edge))
	list = notionPieces(list, text)
	return append(list, pieceHash(ofShape, uint32(bits.Len(uint(len(list)-first))), shape))
}

// What a piece is of.
const (
	ofOne = iota
	ofTwo
	ofWord
	ofSounds
	ofShape
	ofSkip
	ofNotion
)

func pieceHash(kind, a, b uint32) uint32 {
	h := ((a+kind<<24)*0x9e3779b1 ^ b) * 0x85ebca6b
	return h >> (32 - pieceBits)
}

func isLatin(r rune) bool { return r >= 'a' && r <= 'z' }

// latin is the length of the Latin letters that text begins with.
func latin(text string) int {
	n := 0
	for n < len(text) && isLatin(rune(text[n])) {
		n++
	}
	return n
}

func wordHash(word string) uint32 {
	h := uint32(2166136261)
	for i := range len(word) {
		h = (h ^ uint32(word[i])) * 16777619
	}
	return h
}

//go:embed sounds.txt
var soundsText string

// sounds are how common characters are said, by number of the syllable.
var sounds = readSounds()

type soundTable struct {
	of        map[rune]uint16
	syllables map[string]uint16
}

func readSounds() soundTable {
	t := soundTable{of: map[rune]uint16{}, syllables: map[string]uint16{}}
	same := map[string]uint16{}
	for line := range dataLines(soundsText) {
		n := latin(line)
		sound := blurred.Replace(line[:n])
		if same[sound] == 0 {
			same[sound] = uint16(len(same) + 1)
		}
		t.syllables[line[:n]] = same[sound]
		for _, r := range line[n:] {
			t.of[r] = same[sound]
		}
	}
	return t
}

// blurred are sounds that many speakers, and what listens to them, do not tell apart.
var blurred = strings.NewReplacer("zh", "z", "ch", "c", "sh", "s", "ang", "an", "eng", "en", "ing", "in")

const syllableLong = 6 // letters

// spell gives the syllables of a word in pinyin; of any other, that there is none.
func spell(word string, syllable func(uint16)) {
	var found [16]uint16
	n := 0
	for rest := word; rest != ""; n++ {
		long := min(syllableLong, len(rest))
		for long > 0 && sounds.syllables[rest[:long]] == 0 {
			long--
		}
		if long == 0 || n == len(found) {
			syllable(0)
			return
		}
		found[n] = sounds.syllables[rest[:long]]
		rest = rest[long:]
	}
	for _, s := range found[:n] {
		syllable(s)
	}
}
