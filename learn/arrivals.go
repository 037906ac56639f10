package learn

import "time"

// Arrivals count the conversations that began in each bin: of an average day
// where the log is longer than one, else of the log's own time.
type Arrivals struct {
	Bin    time.Duration
	Starts []float64     // a day, or in the log
	Begin  time.Duration // of the first bin, from midnight UTC
	Days   int
}

const bins = 48

func arrivals(dialogs []*Dialog) *Arrivals {
	const day = 24 * time.Hour
	first, last := dialogs[0].begin(), dialogs[len(dialogs)-1].begin()
	length := last.Sub(first)
	if length < 22*time.Hour {
		a := &Arrivals{Bin: max(length/bins+1, time.Second), Starts: make([]float64, bins), Begin: first.Sub(first.Truncate(day)), Days: 1}
		for _, d := range dialogs {
			a.Starts[min(int(d.begin().Sub(first)/a.Bin), bins-1)]++
		}
		return a
	}
	a := &Arrivals{Bin: day / bins, Starts: make([]float64, bins), Days: max(1, int((length+day/2)/day))}
	for _, d := range dialogs {
		a.Starts[d.begin().Sub(d.begin().Truncate(day))/a.Bin] += 1 / float64(a.Days)
	}
	return a
}

// rate is the starts a second of a bin.
func (a *Arrivals) rate(i int) float64 { return a.Starts[i] / a.Bin.Seconds() }
