package scenario

import "strconv"

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
	if len(c.Load.Stages) == 0 {
		c.bad("load", "has no stages: give stages, or users and for")
	}
}
