package measure

import "time"

// Positions is how many turns of a conversation are told apart over time, by
// their place in it; the last stands for all after it as well.
const Positions = 8

// TurnTime is the sum of response times of answered turns of one position in one
// second. The zero value is empty. Not safe for concurrent use.
type TurnTime struct {
	N   uint32
	Sum time.Duration
}

// Mean is the mean of the response times; false where there is none.
func (t *TurnTime) Mean() (time.Duration, bool) {
	if t.N == 0 {
		return 0, false
	}
	return t.Sum / time.Duration(t.N), true
}

func (t *TurnTime) record(d time.Duration) { t.add(&TurnTime{1, max(d, 0)}) }

func (t *TurnTime) add(o *TurnTime) {
	t.N = plus(t.N, o.N)
	t.Sum = time.Duration(saturating(int64(t.Sum), int64(o.Sum)))
}

func appendPositions(b []byte, seconds []Second) []byte {
	for i := range seconds {
		var n [Positions]uint32
		for p, t := range seconds[i].Positions {
			n[p] = t.N
		}
		b = appendSparse(b, n[:])
		for _, t := range seconds[i].Positions {
			if t.N > 0 {
				b = appendInt(b, int64(t.Sum))
			}
		}
	}
	return b
}

func (d *decoder) positions(seconds []Second) {
	for i := range seconds {
		var n [Positions]uint32
		decodeSparse(d, n[:], 1<<32-1)
		for p := range n {
			if n[p] > 0 {
				seconds[i].Positions[p] = TurnTime{n[p], time.Duration(d.int(mostTime))}
			}
		}
	}
}
