package report

import (
	"io"
	"testing"
)

func BenchmarkRenderings(b *testing.B) {
	d := saleDocument(b)
	for _, f := range Renderings(d, English) {
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
