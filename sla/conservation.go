package sla

import (
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// unconserved is the first sum that counts do not obey, or the zero Reason where
// everything that was counted adds up: starts planned are those issued and those
// dropped, and where facts know how many the schedule has, they are these; every
// conversation issued has ended; a turn is in one outcome, one second, one slot
// and the histogram of its outcome. In the closed model nothing plans starts, and
// those counted are all there is. Nil facts know nothing.
func unconserved(s *measure.Snapshot, facts *measure.Facts) reason.Reason {
	turns := s.Turns()
	var inSeconds, startsInSeconds, dropsInSeconds, inSlots, inHistograms, ended, tiers int64
	for i := range s.Seconds {
		second := &s.Seconds[i]
		inSeconds += second.Turns()
		startsInSeconds += int64(second.Starts)
		dropsInSeconds += int64(second.Outcomes[measure.DroppedTarget]) + int64(second.Outcomes[measure.DroppedGenerator])
	}
	for _, slot := range s.Slots {
		inSlots += slot.Turns
	}
	for _, h := range s.ByOutcome {
		inHistograms += h.N()
	}
	for _, n := range s.Conversations {
		ended += n
	}
	for _, n := range s.Tiers {
		tiers += n
	}
	dropped := s.Counts[measure.DroppedTarget] + s.Counts[measure.DroppedGenerator]
	starts := s.Started + dropped
	if facts != nil {
		if n, known := scheduled(facts); known {
			starts = n
		}
	}
	for _, law := range []struct {
		what        reason.Code
		left, right int64
	}{
		{reason.PlannedAreIssuedOrDropped, s.Planned, s.Started + dropped},
		{reason.ScheduleIsIssuedOrDropped, starts, s.Started + dropped},
		{reason.IssuedHaveEnded, s.Started, ended},
		{reason.StartsBySecond, s.Started, startsInSeconds},
		{reason.DroppedBySecond, dropped, dropsInSeconds},
		{reason.TurnsBySecond, turns, inSeconds},
		{reason.TurnsBySlot, turns, inSlots},
		{reason.TurnsHaveResponseTimes, turns, inHistograms},
		{reason.TurnsHaveLags, turns, s.Timings[measure.Lag].N()},
		{reason.AnswersHaveTiers, s.Answered(), tiers},
		{reason.AnswersHaveResponseTimes, s.Answered(), s.Timings[measure.Response].N()},
		{reason.AnswersHaveServiceTimes, s.Answered(), s.Timings[measure.Service].N()},
	} {
		if law.left != law.right {
			return reason.New(reason.NotConserved, reason.New(law.what), law.left, law.right)
		}
	}
	return reason.Reason{}
}
