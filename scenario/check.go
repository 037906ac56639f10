package scenario

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxName          = 64
	maxDescription   = 2000
	maxPattern       = 1024 // bytes of a regular expression
	maxStages        = 64
	maxConversations = 500
	maxTurns         = 200  // of a conversation
	maxSlots         = 2000 // turns of all conversations: each has a histogram
	maxObjectives    = 60
	maxHeaders       = 100

	// MaxCounted is how many objectives may be judged by counting turns: each
	// takes one of the recorder's 64 budgets, and sla takes six for itself.
	MaxCounted = 58
)

// checker looks at the meaning of a decoded and filled scenario.
type checker struct {
	*Scenario
	problems []Problem
	warnings []Problem
}

func (c *checker) bad(path, format string, args ...any) {
	c.problems = append(c.problems, c.source.problem(path, format, args...))
}

func (c *checker) warn(path, format string, args ...any) {
	c.warnings = append(c.warnings, c.source.problem(path, format, args...))
}

// item names a field of a list's item: "load.stages[1].for".
func item(list string, i int, field string) string {
	path := list + "[" + strconv.Itoa(i) + "]"
	if field == "" {
		return path
	}
	return path + "." + field
}

func (c *checker) scenario() {
	if c.Version != 1 {
		c.bad("version", "must be 1, the only version there is")
	}
	c.name("name", c.Name)
	if utf8.RuneCountInString(c.Description) > maxDescription {
		c.bad("description", "is longer than %d characters", maxDescription)
	}
	c.target()
	c.observe()
	c.notify()
	c.llm()
	c.load()
	c.conversations()
	c.data()
	c.checks()
	c.guard()
	c.variants()
	c.sla()
	c.checkTemplates()
}

// name refuses what is not usable as a word in paths, tables and file names.
func (c *checker) name(path, name string) {
	if name == "" || utf8.RuneCountInString(name) > maxName {
		c.bad(path, "must have 1 to %d characters", maxName)
		return
	}
	for i, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && (i == 0 || !strings.ContainsRune("-_.", r)) {
			c.bad(path, "%q: use letters, digits, and - _ . between them", short(name))
			return
		}
	}
}

// unique refuses a name that an earlier item of the list has.
func (c *checker) unique(seen map[string]bool, path, name string) {
	if seen[name] {
		c.bad(path, "%q stands twice: names are unique", short(name))
	}
	seen[name] = true
}

// pattern refuses regular expressions that are not RE2 or not small.
func (c *checker) pattern(path, text string) {
	if len(text) > maxPattern {
		c.bad(path, "is longer than %d bytes", maxPattern)
		return
	}
	if _, err := regexp.Compile(text); err != nil {
		c.bad(path, "is not a regular expression (RE2): %s", short200(strings.TrimPrefix(err.Error(), "error parsing regexp: ")))
	}
}

func (c *checker) data() {
	for _, name := range sortedKeys(c.Data) {
		path := "data." + name
		c.name(path, name)
		if reservedTable(name) {
			c.bad(path, "%s means something in templates already: choose another name", name)
		}
		d := c.Data[name]
		if d.Pick != PickUnique || len(d.Table) == 0 || len(c.Load.Stages) == 0 {
			continue
		}
		mean, likely := c.rowsNeeded()
		switch {
		case len(d.Table) < mean && c.Load.Open():
			c.bad(path, "has %d rows for about %d conversations: give more rows, or pick: random", len(d.Table), mean)
		case len(d.Table) < mean:
			c.bad(path, "has %d rows for %d users: give more rows, or pick: random", len(d.Table), mean)
		case len(d.Table) < likely:
			c.warn(path, "has %d rows; by chance the plan may start as many as %d conversations", len(d.Table), likely)
		}
	}
}

func (c *checker) checks() {
	if c.Checks.Memory == On && (c.LLM == nil || !*c.LLM.EchoContext) {
		c.warn("checks.memory", "no mock LLM echoes what it saw of the dialog (llm.listen or llm.admin, echo_context: true): context will be not verified")
	}
	for i, planted := range c.Checks.Planted {
		path := item("checks.planted", i, "")
		table, column, ok := strings.Cut(planted, ".")
		d, known := c.Data[table]
		switch {
		case !ok || column == "":
			c.bad(path, "%q: write TABLE.COLUMN, for example orders.phone", short(planted))
		case !known:
			c.bad(path, "there is no data table %q%s", short(table), didYouMean(table, sortedKeys(c.Data)))
		case !c.hasColumn(&d, column):
			c.bad(path, "the table %s has no column %q%s", table, short(column), didYouMean(column, d.Columns))
		}
	}
	for i, p := range c.Checks.Canned {
		c.pattern(item("checks.canned", i, ""), p)
	}
	if len(c.Checks.Finish) > 0 && c.Target.API != APIOpenAI {
		c.bad("checks.finish", "is for api: openai, whose answers say why they ended")
	}
	for i, why := range c.Checks.Finish {
		if path := item("checks.finish", i, ""); !isToken(why) || len(why) > 40 {
			c.bad(path, "%q is not a finish_reason: write length, content_filter or as the target says", short(why))
		} else if why == "error" {
			c.bad(path, "an answer that ended in an error is none")
		}
	}
	if len(c.Checks.Canned) > 100 {
		c.bad("checks.canned", "has more than 100 patterns")
	}
}

func (c *checker) guard() {
	if a := c.Guard.Abort; a != nil {
		if a.Bad <= 0 && (len(a.Observed) == 0 || a.For > 0) {
			c.bad("guard.abort.bad", "must be above 0%%, else every run is aborted")
		}
		if a.For <= 0 && (len(a.Observed) == 0 || a.Bad > 0) {
			c.bad("guard.abort.for", "must be above 0s")
		}
		c.fuses(a.Observed)
	}
	peak, known := c.PeakTurnsPerSecond()
	if known && c.Guard.MaxTurns > 0 && c.Guard.MaxTurns < peak {
		c.warn("guard.max_turns", "%s is below the plan's peak of about %.0f turns/s: the guard will end the run", c.Guard.MaxTurns, float64(peak))
	}
}
