package pii

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Masking in pieces, cut anywhere, is masking the whole.
func TestStreamInPiecesIsTheWhole(t *testing.T) {
	masker := New()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"13812345678", "138 1234 5678", "我叫", "张伟", "收件人:", "欧阳娜娜", ",", "。", "a@b.cn", "订单号", "京A12345", "0", "1", "6222021234567890129", "⟦c:A.1⟧", "\n", "010-", "62345678", "电话"}), 0, 12).Draw(t, "words")
		whole := strings.Join(words, "")
		want, _ := masker.Mask(whole)
		var got strings.Builder
		stream := masker.Stream()
		for rest := whole; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			got.WriteString(stream.Add(rest[:n]))
			rest = rest[n:]
		}
		got.WriteString(stream.End())
		if got.String() != want {
			t.Fatalf("in pieces %q, whole %q", got.String(), want)
		}
	})
}

// Every sentence of the corpora, cut at every byte.
func TestStreamOfTheCorpus(t *testing.T) {
	masker := New()
	for _, s := range append(corpus(t), sentences(t, "testdata/held.txt")...) {
		want, _ := masker.Mask(s.text)
		for cut := range len(s.text) {
			stream := masker.Stream()
			if got := stream.Add(s.text[:cut]) + stream.Add(s.text[cut:]) + stream.End(); got != want {
				t.Fatalf("cut at %d %q, whole %q", cut, got, want)
			}
		}
	}
}
