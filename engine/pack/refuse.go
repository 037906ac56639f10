package pack

import (
	"math"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
)

// Refuse says why a scenario cannot be driven by so many shards on machines of
// their own; nil where it can.
func Refuse(s *scenario.Scenario, shards int) error {
	refused := func(code reason.Code, args ...any) error { return reason.Err(reason.New(code, args...)) }
	switch {
	case shards < 2 || shards > result.MostShards:
		return refused(reason.SpreadNumber, int64(shards), int64(result.MostShards))
	case s.Target.Bundled != nil:
		return refused(reason.SpreadBundled)
	case s.LLM != nil && s.LLM.Listen != "":
		return refused(reason.SpreadListen, s.LLM.Listen)
	}
	if n, known := s.ConversationsExpected(); known && s.Load.Open() && math.Floor(n) < float64(shards) {
		return refused(reason.SpreadTooMany, int64(shards), int64(n))
	}
	if users := s.PeakUsers(); !s.Load.Open() && int(users) < shards {
		return refused(reason.SpreadTooMany, int64(shards), int64(users))
	}
	return nil
}
