package chat

// spend notes what calls to the model have cost, whatever came of them: one that is
// left in the middle is paid for, too.
func (t *Turn) spend(body []byte, attempts int, answer string) {
	if t.set.LimitTokens > 0 {
		t.tokens += attempts*tokensIn(body) + tokensIn(answer)
	}
}

// tokensIn is about how many tokens a text has: a quarter of its letters in Latin
// script, one for each Chinese character.
func tokensIn[T []byte | string](text T) int {
	narrow, wide := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c < 0x80:
			narrow++
		case c >= 0xe0: // begins a character of three bytes or four
			wide++
		}
	}
	return (narrow+3)/4 + wide
}
