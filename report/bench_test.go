package report

import (
	"io"
	"testing"

	"github.com/cstest/cstest/reason"
)

func BenchmarkRenderings(b *testing.B) {
	d := saleDocument(b)
	for _, f := range Renderings(d, reason.English) {
		b.Run(f.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f.Write(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
