package backflow

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
)

// What a degraded turn costs more, with an embedded Redis, when many come at once.
func BenchmarkWrite(b *testing.B) {
	m := miniredis.RunT(b)
	f := newFlow(connect(b, m.Addr()), nil)
	n := 0
	for b.Loop() {
		f.outbox.put(question(n%5000, n))
		if n++; n%outboxBatch == 0 {
			if _, err := f.write(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
}
