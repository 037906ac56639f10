package answer

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// At each letter of a text the automaton knows the longest end of it that stands in
// its own, as looking for every end does.
func TestAutomatonKnowsTheLongestEnd(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	draw := func(n, letters int) string {
		var b strings.Builder
		for range n {
			b.WriteRune('甲' + rune(random.IntN(letters)))
		}
		return b.String()
	}
	for range 300 {
		letters := 1 + random.IntN(4)
		secret, text := draw(random.IntN(40), letters), []rune(draw(60, letters+1))
		a := newAutomaton(secret)
		state, length := int32(0), int32(0)
		for i, r := range text {
			state, length = a.follow(state, length, r)
			want := 0
			for n := 1; n <= i+1 && strings.Contains(secret, string(text[i+1-n:i+1])); n++ {
				want = n
			}
			if int(length) != want {
				t.Fatalf("secret %s, text %s: %d letters, want %d", secret, string(text[:i+1]), length, want)
			}
		}
		if n := len([]rune(secret)); len(a.states) > max(2*n, 2) {
			t.Errorf("%d states for %d letters", len(a.states), n)
		}
	}
}
