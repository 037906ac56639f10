package answer

import "testing"

func BenchmarkIntent(b *testing.B) {
	in := NewIntents()
	lines := intentCorpus(b, "examples.tsv")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		in.Of(lines[i%len(lines)].text)
		i++
	}
}

func BenchmarkNewIntents(b *testing.B) {
	for b.Loop() {
		NewIntents()
	}
}

func BenchmarkNewFAQ(b *testing.B) {
	for b.Loop() {
		f, err := NewFAQ()
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

// BenchmarkFind looks up questions that are not in memory yet.
func BenchmarkFind(b *testing.B) {
	f, err := NewFAQ()
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	lines := corpus(b, "testdata/questions.tsv")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := f.search(lines[i%len(lines)].text); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
