package load

import "time"

// queue holds conversations by when their next turn is due: a heap of four
// children a node, which is shallower than the usual two. Not safe for
// concurrent use.
type queue struct{ items []queued }

type queued struct {
	due time.Duration
	c   *conversation
}

func (q queued) before(o queued) bool {
	return q.due < o.due || q.due == o.due && q.c.k < o.c.k
}

func (q *queue) len() int { return len(q.items) }

// first is when the earliest is due.
func (q *queue) first() (time.Duration, bool) {
	if len(q.items) == 0 {
		return 0, false
	}
	return q.items[0].due, true
}

func (q *queue) push(due time.Duration, c *conversation) {
	q.items = append(q.items, queued{due, c})
	i := len(q.items) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !q.items[i].before(q.items[parent]) {
			return
		}
		q.items[i], q.items[parent] = q.items[parent], q.items[i]
		i = parent
	}
}

// pop takes the earliest; the queue must not be empty.
func (q *queue) pop() (time.Duration, *conversation) {
	top := q.items[0]
	last := len(q.items) - 1
	q.items[0] = q.items[last]
	q.items[last] = queued{}
	q.items = q.items[:last]
	q.down(0)
	return top.due, top.c
}

func (q *queue) down(i int) {
	for {
		child := 4*i + 1
		if child >= len(q.items) {
			return
		}
		least := child
		for j := child + 1; j < min(child+4, len(q.items)); j++ {
			if q.items[j].before(q.items[least]) {
				least = j
			}
		}
		if !q.items[least].before(q.items[i]) {
			return
		}
		q.items[i], q.items[least] = q.items[least], q.items[i]
		i = least
	}
}

// remove takes out every conversation that which names, and gives them to took.
func (q *queue) remove(which func(*conversation) bool, took func(*conversation)) {
	kept := q.items[:0]
	for _, it := range q.items {
		if which(it.c) {
			took(it.c)
		} else {
			kept = append(kept, it)
		}
	}
	clear(q.items[len(kept):])
	q.items = kept
	for i := (len(kept) - 2) / 4; i >= 0 && len(kept) > 1; i-- {
		q.down(i)
	}
}
