package answer

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const leakLength = 12 // letters of the prompt in a row that give it away

// secrets is the prompt in the forms in which an answer may tell it, letters and
// digits only and folded. Forms are parted by line ends, which no letter crosses.
type secrets struct {
	words string // as written and backwards, without digits
	code  string // what models encode it as when asked to
}

func secretsOf(prompt string) secrets {
	words := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return foldRune(r)
	}, prompt))
	forward := string(words)
	slices.Reverse(words)
	coded := []string{hex.EncodeToString([]byte(prompt))} // %E4%BD%A0 as well
	for skip := range min(3, len(prompt)) {
		coded = append(coded, base64.StdEncoding.EncodeToString([]byte(prompt[skip:])))
	}
	escapes, entities := "", ""
	for _, r := range prompt {
		escapes += fmt.Sprintf("u%04x", r)
		entities += strconv.Itoa(int(r))
	}
	coded = append(coded, escapes, entities)
	for i, form := range coded {
		coded[i] = strings.Map(func(r rune) rune {
			if !isWord(r) {
				return -1
			}
			return foldRune(r)
		}, form)
	}
	return secrets{words: forward + "\n" + string(words), code: strings.Join(coded, "\n")}
}

func isWord(r rune) bool { return isHan(r) || unicode.IsLetter(r) || unicode.IsDigit(r) }

// trail is the letters of a text, up to the last one, that stand in a secret one
// after the other.
type trail struct {
	secret *automaton
	state  int32
	length int32
	starts [leakLength]int // where each of them begins in what is held
}

// letter extends the trail, dropping letters from its beginning until it stands
// in the secret; true when it is long enough to give it away, which ends the text.
func (t *trail) letter(r rune, at int) bool {
	before := t.length
	t.state, t.length = t.secret.follow(t.state, t.length, r)
	if t.length == 0 {
		return false
	}
	copy(t.starts[:], t.starts[before+1-t.length:before])
	t.starts[t.length-1] = at
	return t.length == leakLength
}

// end forgets the trail.
func (t *trail) end() { t.state, t.length = 0, 0 }

// from is where the trail begins in what is held, end when there is none.
func (t *trail) from(end int) int {
	if t.length == 0 {
		return end
	}
	return t.starts[0]
}

// shift tells the trail that n bytes were let out.
func (t *trail) shift(n int) {
	for i := range t.starts[:t.length] {
		t.starts[i] -= n
	}
}
