package trial

import (
	"math"
	"time"

	"github.com/cstest/cstest/scenario"
)

// perProcess is how many turns a second one process drives before a second one
// pays; far beyond what a chat server is asked.
const perProcess = 40_000

// expectedConnections is about how many connections one of the shards has open
// at once, for one each policy; 0 where connections are shared. Agents' sockets
// are every shard's.
func expectedConnections(s *scenario.Scenario, shards int) int {
	t := &s.Target
	agents := 0
	if t.Agents != nil {
		agents = int(t.Agents.Sockets)
	}
	if t.HTTP == scenario.HTTP2 || t.HTTP == scenario.H2C || t.Connections == scenario.Shared {
		return agents
	}
	total := float64(s.PeakUsers())
	if s.Load.Open() {
		// Little's law, with a second for each answer.
		longest := 0.0
		for i := range s.Conversations {
			longest = max(longest, talk(&s.Conversations[i]).Seconds())
		}
		for _, st := range s.Load.Stages {
			rate := float64(max(st.Starts.From, st.Starts.To))
			total = max(total, rate*min(longest, st.For.D().Seconds()+longest))
			total = max(total, min(rate*longest, rate*s.TotalDuration().Seconds()))
		}
		if starts, known := s.ConversationsExpected(); known {
			total = min(total, starts)
		}
	}
	return agents + int(math.Ceil(total/float64(max(shards, 1))))
}

// talk is about how long a conversation lasts.
func talk(c *scenario.Conversation) time.Duration {
	var d time.Duration
	for i := range c.Turns {
		d += time.Second
		if t := c.Turns[i].Think; t != nil && i > 0 {
			// The mean of a log-normal lies above its median, below its P95.
			d += max(t.Constant.D(), (t.Min.D()+t.Max.D())/2, (t.Median.D()+t.P95.D())/2)
		}
	}
	return d
}

// Processes is how many processes a load takes on this machine: as many as its
// connections need at the descriptors one may open, and as its rate needs.
func Processes(s *scenario.Scenario, cores int) int {
	n := 1
	if limit := descriptorLimit(); limit > spareDescriptors {
		room := float64(limit-spareDescriptors) * 0.9
		n = max(n, int(math.Ceil(float64(expectedConnections(s, 1))/room)))
	}
	if rate, known := s.PeakTurnsPerSecond(); known && float64(rate) > perProcess {
		n = max(n, min(cores, int(math.Ceil(float64(rate)/perProcess))))
	}
	return n
}
