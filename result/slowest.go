package result

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

// Slowest says where the time of the slowest turns went: those of the highest bands
// of response time (four to a power of two) that together are at least one in a
// hundred of the turns, and ten. It describes; nothing is judged by it.
type Slowest struct {
	FromNs     int64      `json:"from_ns"` // the least response time among them, as the edge of a band
	Turns      int64      `json:"turns"`
	Share      float64    `json:"share"`      // of all turns that ended
	Unanswered int64      `json:"unanswered"` // of Turns
	Phases     []Part     `json:"phases"`     // lag, wait, connect, first_byte, body: they add up to the response time
	Server     []Part     `json:"server"`     // Server-Timing metrics, by name
	Together   []Together `json:"together"`   // what most of them have in common, and few others
	// Text is the whole in one line of English, as the codes say it.
	Text        string         `json:"text"`
	ReasonCodes reason.Reasons `json:"reason_codes"`
}

// Part is a phase of response times, or a Server-Timing metric. Share is that of the
// slowest turns' time; Excess that of what they took longer than all others, 0 where
// they did not.
type Part struct {
	Name     string  `json:"name"`
	MeanNs   int64   `json:"mean_ns"`
	OthersNs int64   `json:"others_ns"`
	Share    float64 `json:"share"`
	Excess   float64 `json:"excess"`
}

// Together is a group of turns that most of the slowest are of: Share of them, and
// Expected of all turns. By is turn, conversation, slot, tier, seconds or storm; Of is
// the conversation of a slot, FromS and ToS are of seconds and storms.
type Together struct {
	By       string   `json:"by"`
	Name     string   `json:"name"`
	Of       string   `json:"of"`
	FromS    *float64 `json:"from_s"`
	ToS      *float64 `json:"to_s"`
	Share    float64  `json:"share"`
	Expected float64  `json:"expected"`
}

const (
	slowestShare = 0.01
	slowestTurns = 10
	// slowestMost: where more than so many are in the highest bands, none stand out.
	slowestMost = 0.5
)

// slowestOf is nil where there are too few turns, or none slower than the others.
func slowestOf(in input) *Slowest {
	s := in.Snapshot
	total := int64(0)
	for i := range s.AnsweredBands {
		total += s.AnsweredBands[i].Turns + s.FailedBands[i].Turns
	}
	var slow, failed measure.Band
	edge := len(s.AnsweredBands)
	for edge > 0 && (slow.Turns < slowestTurns || float64(slow.Turns) < slowestShare*float64(total)) {
		edge--
		slow.Add(&s.AnsweredBands[edge])
		slow.Add(&s.FailedBands[edge])
		failed.Add(&s.FailedBands[edge])
	}
	if slow.Turns < slowestTurns || float64(slow.Turns) > slowestMost*float64(total) {
		return nil
	}
	var others measure.Band
	for i := range edge {
		others.Add(&s.AnsweredBands[i])
		others.Add(&s.FailedBands[i])
	}
	out := &Slowest{
		FromNs: int64(measure.BandFrom(edge)), Turns: slow.Turns, Share: float64(slow.Turns) / float64(total), Unanswered: failed.Turns,
		Phases: phasesOf(&slow, &others), Server: serverParts(s.Server, edge, &slow),
	}
	out.Together = togetherOf(in, edge, out)
	out.ReasonCodes = out.say()
	out.Text = out.ReasonCodes.String()
	return out
}

func phasesOf(slow, others *measure.Band) []Part {
	out := make([]Part, measure.Phases)
	for i := range out {
		out[i] = Part{Name: measure.Phase(i).String(), MeanNs: mean(slow.Times[i], slow.Turns), OthersNs: mean(others.Times[i], others.Turns)}
	}
	return shared(out, totalTime(slow.Times[:]))
}

// serverParts are means over the turns that had the metric, shares of the time of all
// the slowest.
func serverParts(list []measure.ServerTimes, edge int, slow *measure.Band) []Part {
	out := []Part{}
	sums := []time.Duration{}
	for i := range list {
		var above, below measure.ServerBand
		for b := range list[i].Bands {
			if b >= edge {
				above.Add(&list[i].Bands[b])
			} else {
				below.Add(&list[i].Bands[b])
			}
		}
		if above.Turns == 0 {
			continue
		}
		out = append(out, Part{Name: list[i].Name, MeanNs: mean(above.Time, above.Turns), OthersNs: mean(below.Time, below.Turns)})
		sums = append(sums, above.Time)
	}
	whole := totalTime(slow.Times[:])
	for i := range out {
		if whole > 0 {
			out[i].Share = min(float64(sums[i])/float64(whole), 1)
		}
	}
	return out
}

// shared sets the shares of parts that add up to the whole.
func shared(parts []Part, whole time.Duration) []Part {
	turns, more := 0.0, 0.0
	for _, p := range parts {
		turns += float64(p.MeanNs)
		more += float64(max(p.MeanNs-p.OthersNs, 0))
	}
	for i := range parts {
		p := &parts[i]
		if whole > 0 && turns > 0 {
			p.Share = float64(p.MeanNs) / turns
		}
		if more > 0 {
			p.Excess = float64(max(p.MeanNs-p.OthersNs, 0)) / more
		}
	}
	return parts
}

func mean(sum time.Duration, n int64) int64 {
	if n == 0 {
		return 0
	}
	return int64(sum) / n
}

func totalTime(times []time.Duration) (sum time.Duration) {
	for _, d := range times {
		sum += d
	}
	return sum
}

// say puts it into one line: the phase that they took longer in than the others, what
// the server says of it, and what they have in common.
func (s *Slowest) say() reason.Reasons {
	cause := Part{}
	for _, p := range s.Phases {
		if p.Excess > cause.Excess {
			cause = p
		}
	}
	out := reason.Reasons{reason.New(reason.SlowestSpent, time.Duration(s.FromNs), s.Turns, unit.Share(s.Share), unit.Share(cause.Share),
		reason.Word("phase_"+cause.Name), time.Duration(cause.MeanNs), time.Duration(cause.OthersNs))}
	if s.Unanswered > 0 {
		out = append(out, reason.New(reason.SlowestUnanswered, s.Unanswered))
	}
	if m := s.server(); m.Name != "" {
		out = append(out, reason.New(reason.SlowestServer, unit.Share(m.Share), m.Name, time.Duration(m.MeanNs), time.Duration(m.OthersNs)))
	}
	for _, t := range s.Together {
		out = append(out, t.say())
	}
	return out
}

// server is the metric that grew most: of what the server counts twice, as a total
// beside its parts, the part, for it says more.
func (s *Slowest) server() (most Part) {
	for _, p := range s.Server {
		if grown := p.MeanNs - p.OthersNs; p.Name != "total" && grown > 0 && grown > most.MeanNs-most.OthersNs {
			most = p
		}
	}
	return most
}

func (t Together) say() reason.Reason {
	share, expected := unit.Share(t.Share), unit.Share(t.Expected)
	switch t.By {
	case "turn":
		return reason.New(reason.SlowestTurn, share, t.Name, expected)
	case "conversation":
		return reason.New(reason.SlowestConversation, share, t.Name, expected)
	case "slot":
		return reason.New(reason.SlowestSlot, share, t.Name, t.Of, expected)
	case "tier":
		return reason.New(reason.SlowestTier, share, reason.Word(t.Name), expected)
	}
	from, to := secondsOf(*t.FromS), secondsOf(*t.ToS)
	if t.By == "storm" {
		return reason.New(reason.SlowestStorm, share, from, to, t.Name, expected)
	}
	return reason.New(reason.SlowestSeconds, share, from, to, expected)
}

func secondsOf(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
