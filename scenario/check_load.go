package scenario

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cstest/cstest/unit"
)

const (
	maxRate   = 1_000_000 // starts a second
	maxUsers  = 10_000_000
	maxStarts = 1e9

	leastShape, mostShape = 0.05, 1000.0 // bursts of about twenty; nearly even
)

func (c *checker) load() {
	l := &c.Load
	switch {
	case len(l.Stages) == 0:
		c.bad("load", "has no stages: give stages, or users and for")
		return
	case l.Users > 0 || l.For > 0 || c.source.wrote("load.users") || c.source.wrote("load.for"):
		c.bad("load", "has both stages and users or for: put users into the stages")
	case len(l.Stages) > maxStages:
		c.bad("load.stages", "has %d stages: %d are possible", len(l.Stages), maxStages)
	}
	seen := map[string]bool{}
	judged, starts := false, 0.0
	for i := range l.Stages {
		st := &l.Stages[i]
		c.name(item("load.stages", i, "name"), st.Name)
		c.unique(seen, item("load.stages", i, "name"), st.Name)
		c.stage(i, st)
		judged = judged || *st.Judged
		starts += st.ExpectedStarts()
	}
	if !judged {
		c.bad("load.stages", "none is judged: leave judged: true to at least one")
	}
	switch {
	case !l.Open() && c.PeakUsers() == 0:
		c.bad("load.stages", "plan no user: nothing would be sent")
	case l.Open() && starts < 1-1e-6:
		c.bad("load.stages", "plan %s conversations, less than one: nothing would be sent; raise starts or for", unit.Figure(starts))
	}
	c.exactly(starts)
	if starts > maxStarts {
		c.bad("load.stages", "plans %.0f conversations: %.0f are possible", starts, maxStarts)
	}
	if l.Pacing > 0 && l.Open() {
		c.bad("load.pacing", "is for users; with starts the rate paces")
	}
	if c.source.wrote("load.arrivals") && !l.Open() {
		c.bad("load.arrivals", "is for starts; users come round when they are ready")
	}
	c.shape()
	if l.MaxInFlight < 1 || l.MaxInFlight > 1_000_000 {
		c.bad("load.max_in_flight", "must be 1 to 1M")
	}
	if l.Drain < c.Target.Timeout {
		c.warn("load.drain", "%s is below target.timeout, %s: turns still under way then are cut off, and nobody knows whether they would have been good", l.Drain, c.Target.Timeout)
	}
	c.think("load.think", l.Think)
	c.patience()
}

// shape checks the shape of the times between starts.
func (c *checker) shape() {
	l := &c.Load
	switch {
	case l.Arrivals != ArrivalsGamma && c.source.wrote("load.shape"):
		c.bad("load.shape", "is for arrivals: gamma; %s has no shape", cmp.Or(l.Arrivals, ArrivalsPoisson))
	case l.Arrivals == ArrivalsGamma && !(l.Shape >= leastShape && l.Shape <= mostShape):
		c.bad("load.shape", "must be %g to %g: below 1 starts come in bursts, above they are ever more even", leastShape, mostShape)
	}
}

// patience checks how long customers wait. Who waits longer than the timeout never
// gets to leave.
func (c *checker) patience() {
	p := c.Load.Patience
	if p == nil {
		return
	}
	const path = "load.patience"
	c.think(path, p)
	if p.Constant+p.Max+p.Median <= 0 {
		c.bad(path, "must be above 0s; leave it out for customers who wait for ever")
	}
	if least := max(p.Constant, p.Min); least > 0 && least >= c.Target.Timeout {
		c.warn(path, "%s is not below target.timeout, %s: every turn times out before its customer leaves; raise target.timeout", least, c.Target.Timeout)
	}
}

// exactly checks the number of conversations against what the stages start.
func (c *checker) exactly(starts float64) {
	l := &c.Load
	switch n := l.Conversations; {
	case n == 0 && !c.source.wrote("load.conversations"):
	case n < 1:
		c.bad("load.conversations", "must be 1 or more; leave it out for as many as the stages have room for")
	case n > maxStarts:
		c.bad("load.conversations", "is %s: %.0f are possible", n, float64(maxStarts))
	case l.Open() && starts < float64(n)-1e-6:
		c.bad("load.conversations", "is %s, and the stages start about %s: lengthen for, raise starts, or ask for fewer", n, unit.Figure(starts))
	}
}

func (c *checker) stage(i int, st *Stage) {
	path := func(field string) string { return item("load.stages", i, field) }
	if st.For <= 0 {
		c.bad(path("for"), "must be above 0s")
	}
	open := c.Load.Stages[0].Starts != nil
	switch {
	case (st.Starts == nil) == (st.Users == nil):
		c.bad(path(""), "must have exactly one of starts and users")
		return
	case (st.Starts != nil) != open:
		c.bad(path(""), "mixes starts and users: all stages have the one or the other")
		return
	}
	if r := st.Starts; r != nil {
		if r.From > maxRate || r.To > maxRate {
			c.bad(path("starts"), "is above %dk/s", maxRate/1000)
		}
		return
	}
	if st.Users.From > maxUsers || st.Users.To > maxUsers {
		c.bad(path("users"), "is above %dM", maxUsers/1_000_000)
	}
}

// think checks a pause: exactly one form, in order.
func (c *checker) think(path string, t *Think) {
	if t == nil {
		return
	}
	c.dist(path, t.Constant, t.Min, t.Max, t.Median, t.P95, "p95")
	if max(t.Constant, t.Max, t.P95, t.Median) > unit.Duration(24*time.Hour) {
		c.bad(path, "is longer than 24h")
	}
}

// dist checks the three forms of a distribution; quantile names the last field.
func (c *checker) dist(path string, constant, low, high, median, tail unit.Duration, quantile string) {
	wrote := func(field string) bool { return c.source.wrote(join(path, field)) }
	uniform := low > 0 || high > 0 || wrote("min") || wrote("max")
	lognormal := median > 0 || tail > 0 || wrote("median") || wrote(quantile)
	given := constant > 0 || wrote("constant")
	switch {
	case given && (uniform || lognormal), uniform && lognormal:
		c.bad(path, "mixes forms: write one of a duration, {min, max} and {median, %s}", quantile)
	case uniform && (high <= 0 || low > high):
		c.bad(path, "needs min and max, min at most max")
	case lognormal && (median <= 0 || tail < median):
		c.bad(path, "needs median (above 0s) and %s (not below it)", quantile)
	}
}

func (c *checker) conversations() {
	if n := len(c.Conversations); n == 0 || n > maxConversations {
		c.bad("conversations", "has %d items: 1 to %d are possible", n, maxConversations)
		return
	}
	seen := map[string]bool{}
	weight, slots := 0.0, 0
	for i := range c.Conversations {
		conv := &c.Conversations[i]
		path := item("conversations", i, "")
		c.name(path+".name", conv.Name)
		c.unique(seen, path+".name", conv.Name)
		weight += conv.Weight
		slots += len(conv.Turns)
		if n := len(conv.Turns); n == 0 || n > maxTurns {
			c.bad(path+".turns", "has %d turns: 1 to %d are possible", n, maxTurns)
		}
		if c.source.wrote(path + ".think") {
			c.think(path+".think", conv.Think)
		}
		for k := range conv.Turns {
			c.turn(item(path+".turns", k, ""), k, &conv.Turns[k])
		}
	}
	if weight <= 0 {
		c.bad("conversations", "all have weight 0: one at least must happen")
	}
	if slots > maxSlots {
		c.bad("conversations", "have %d turns together: %d are possible", slots, maxSlots)
	}
}

func (c *checker) turn(path string, k int, t *Turn) {
	if strings.TrimSpace(t.Say) == "" {
		c.bad(path+".say", "is empty")
	}
	if len(t.Say) > 16<<10 || !utf8.ValidString(t.Say) {
		c.bad(path+".say", "is longer than 16 KiB")
	}
	if strings.ContainsAny(t.Say, "⟦⟧") {
		c.bad(path+".say", "has a ⟦ or ⟧ in it, which mark what cstest adds to find lost context")
	}
	c.contentParts(path+".parts", t.Parts)
	if c.source.wrote(path + ".think") {
		if k == 0 {
			c.bad(path+".think", "the first turn begins the conversation: there is no pause before it")
		}
		c.think(path+".think", t.Think)
	}
	if len(t.When) > 0 {
		c.when(path+".when", k, t.When)
	}
	if e := t.Expect; e != nil {
		if !e.OfAnswer() && !e.ToRefuse() {
			c.bad(path+".expect", "expects nothing: give contains, not_contains, matches or refused")
		}
		c.pattern(path+".expect.matches", e.Matches)
		c.refused(path+".expect", e)
	}
	c.forge(path, k, t)
}

// when checks the conditions of a turn that is not always said.
func (c *checker) when(path string, k int, list Conditions) {
	if k == 0 {
		c.bad(path, "the first turn begins the conversation: there is no answer before it")
	}
	c.conditions(path, list)
	for i := range list {
		switch kind, _ := Find(list[i].Path); kind {
		case PlaceHeader, PlaceCookie, PlaceEvent:
			c.bad(item(path, i, "path"), "looks at the answer's content: write a path into its JSON, body:text, regex:… or http:status")
		case PlaceJSON, PlaceRegex, PlaceXML, PlaceHTML, PlaceText, PlaceStatus:
		}
	}
}
