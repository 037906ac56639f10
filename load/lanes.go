package load

import "github.com/cstest/cstest/measure"

// LanesOf gives a recorder's lanes as Options wants them.
func LanesOf(recorder *measure.Recorder) []Lane {
	lanes := make([]Lane, recorder.Lanes())
	for i := range lanes {
		lanes[i] = recorder.Lane(i)
	}
	return lanes
}
