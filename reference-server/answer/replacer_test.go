package answer

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// What a replacer makes of a text is what the library's makes of it.
func TestReplacerAgreesWithTheLibrarys(t *testing.T) {
	pairs := []string{"怎样", "怎么", "怎", "啥", "啥时候", "什么时候", "啥", "什么", "的", "", "ab", "b", "a", "aa", "亲亲", "您"}
	ours, theirs := newReplacer(pairs...), strings.NewReplacer(pairs...)
	alphabet := []string{"怎", "样", "啥", "时", "候", "的", "a", "b", "亲", "好", "\xe4", "\xff", "，"}
	random := rand.New(rand.NewPCG(1, 2))
	changed := 0
	for range 5000 {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteString(alphabet[random.IntN(len(alphabet))])
		}
		text := b.String()
		want := theirs.Replace(text)
		if got := ours.Replace(text); got != want {
			t.Fatalf("%q becomes %q, want %q", text, got, want)
		}
		if want != text {
			changed++
		}
	}
	if changed < 1000 {
		t.Errorf("%d texts had anything to replace, which shows too little", changed)
	}
}

// A text without any of the words costs nothing.
func TestReplacerAllocatesNothingForNothing(t *testing.T) {
	r := newReplacer("怎样", "怎么", "啥", "什么")
	if n := testing.AllocsPerRun(100, func() { r.Replace("大促期间几天能发货到成都") }); n > 0 {
		t.Errorf("%g allocations, want none", n)
	}
}
