package admission

import "time"

// hastyPlaces is how many callers are remembered; two that share a place forget each other.
const hastyPlaces = 8192

// hasty remembers until when those who were turned away should not have come back.
type hasty [hastyPlaces]struct {
	caller uint64
	until  time.Time
}

// again says whether a caller who is turned away now comes back too soon after the last
// time. He is to stay away for pause, behind what the answer is held back for.
func (h *hasty) again(caller uint64, now time.Time, pause time.Duration) bool {
	place := &h[caller%hastyPlaces]
	again := place.caller == caller && now.Before(place.until)
	place.caller, place.until = caller, now.Add(pause)
	if again {
		place.until = place.until.Add(pause)
	}
	return again
}
