package admission

import "time"

// hastyKept is how many callers are remembered for certain; twice as many at most.
const hastyKept = 16_384

// hasty remembers until when those who were turned away should not have come back. The
// zero value is ready.
type hasty struct{ young, old map[uint64]time.Time }

// again says whether a caller who is turned away now comes back too soon after the last
// time. He is to stay away for pause, behind what the answer is held back for.
func (h *hasty) again(caller uint64, now time.Time, pause time.Duration) bool {
	until, known := h.young[caller]
	if !known {
		until = h.old[caller]
		h.grow()
	}
	again := now.Before(until)
	until = now.Add(pause)
	if again {
		until = until.Add(pause)
	}
	h.young[caller] = until
	return again
}

// grow makes room for one more.
func (h *hasty) grow() {
	if h.young == nil {
		h.young, h.old = map[uint64]time.Time{}, map[uint64]time.Time{}
	}
	if len(h.young) == hastyKept {
		clear(h.old)
		h.young, h.old = h.old, h.young
	}
}
