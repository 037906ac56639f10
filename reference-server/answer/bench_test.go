package answer

import (
	"strings"
	"testing"
)

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

// BenchmarkLearn is what a process pays once.
func BenchmarkLearn(b *testing.B) {
	examples, err := parseExamples(examplesText)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		learn(examples)
	}
}

func BenchmarkNewFAQ(b *testing.B) {
	for b.Loop() {
		if _, err := NewFAQ(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFind looks up questions that are not in memory yet.
func BenchmarkFind(b *testing.B) {
	f, err := NewFAQ()
	if err != nil {
		b.Fatal(err)
	}
	lines := corpus(b, "testdata/questions.tsv")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		f.search(lines[i%len(lines)].text)
		i++
	}
}

func BenchmarkCheck(b *testing.B) {
	c := NewCheck(strings.Repeat("你是一家网店的客服，只回答和订单、物流、退货、优惠券有关的问题。", 12))
	text := strings.Repeat("您好，退货申请提交后，仓库收到商品并检查无误，三个工作日内会把款退回您的支付账户。", 3)
	b.ReportAllocs()
	for b.Loop() {
		c.Clean(text)
	}
}
