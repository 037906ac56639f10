package load

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQueueGivesTheEarliestFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		in := map[*conversation]time.Duration{}
		for i, due := range rapid.SliceOf(rapid.Int64Range(0, 20)).Draw(t, "due") {
			c := &conversation{k: int64(i % 7)}
			q.push(time.Duration(due), c)
			in[c] = time.Duration(due)
			if rapid.IntRange(0, 3).Draw(t, "take") == 0 {
				takeFirst(t, &q, in)
			}
		}
		q.remove(func(c *conversation) bool { return c.k == 3 }, func(c *conversation) { delete(in, c) })
		if q.len() != len(in) {
			t.Fatalf("%d are left, want %d", q.len(), len(in))
		}
		for q.len() > 0 {
			takeFirst(t, &q, in)
		}
	})
}

// takeFirst checks that nothing left in the queue comes before what it gives.
func takeFirst(t *rapid.T, q *queue, in map[*conversation]time.Duration) {
	due, c := q.pop()
	if in[c] != due {
		t.Fatalf("due %v, want %v", due, in[c])
	}
	delete(in, c)
	for other, at := range in {
		if at < due || at == due && other.k < c.k {
			t.Fatalf("%v of %d came before %v of %d", due, c.k, at, other.k)
		}
	}
}
