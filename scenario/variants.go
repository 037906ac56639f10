package scenario

import (
	"net/url"
	"slices"
	"time"

	"github.com/cstest/cstest/unit"
)

// Variant is a state of one's own server that `cstest tune` compares with others.
type Variant struct {
	Name  string  `json:"name"`
	Apply Command `json:"apply"`
	Ready *Ready  `json:"ready,omitempty"`
}

// Command is a program that is run without a shell, in the scenario's folder.
type Command struct {
	Run     []string      `json:"run"`
	Timeout unit.Duration `json:"timeout,omitempty"`
}

// Ready says when a server can be asked: its URL answers with Status.
type Ready struct {
	URL     string        `json:"url"`
	Status  unit.Count    `json:"status,omitempty"`
	Timeout unit.Duration `json:"timeout,omitempty"`
}

const (
	maxScenarioVariants = 16
	maxArguments        = 100
	maxArgument         = 4096
)

func (s *Scenario) fillVariants() {
	for i := range s.Variants {
		v := &s.Variants[i]
		or(&v.Apply.Timeout, unit.Duration(time.Minute))
		if v.Ready != nil {
			or(&v.Ready.Status, 200)
			or(&v.Ready.Timeout, unit.Duration(30*time.Second))
		}
	}
}

func (c *checker) variants() {
	if len(c.Variants) == 0 {
		return
	}
	if c.Target.Bundled != nil {
		c.bad("variants", "are of one's own server (target.url); of the bundled one vary a knob: cstest tune --vary KNOB=a,b")
	}
	if len(c.Variants) < 2 || len(c.Variants) > maxScenarioVariants {
		c.bad("variants", "must be 2 to %d, the first is the baseline", maxScenarioVariants)
	}
	seen := map[string]bool{}
	for i, v := range c.Variants {
		c.name(item("variants", i, "name"), v.Name)
		c.unique(seen, item("variants", i, "name"), v.Name)
		c.command(item("variants", i, "apply"), v.Apply)
		if v.Ready != nil {
			c.ready(item("variants", i, "ready"), v.Ready)
		}
	}
}

func (c *checker) command(path string, m Command) {
	switch {
	case len(m.Run) == 0 || m.Run[0] == "":
		c.bad(path+".run", "must name a program and its arguments: [./deploy.sh, --pool, \"50\"]; there is no shell")
	case len(m.Run) > maxArguments:
		c.bad(path+".run", "has more than %d arguments", maxArguments)
	case slices.ContainsFunc(m.Run, func(a string) bool { return len(a) > maxArgument || slices.Contains([]byte(a), 0) }):
		c.bad(path+".run", "has an argument longer than %d bytes, or a NUL", maxArgument)
	}
	if m.Timeout <= 0 || m.Timeout > unit.Duration(time.Hour) {
		c.bad(path+".timeout", "must be above 0s, an hour at most")
	}
}

func (c *checker) ready(path string, r *Ready) {
	u, err := url.Parse(r.URL)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || len(r.URL) > 2048:
		c.bad(path+".url", "%q is not a URL: write for example http://10.0.0.7:8080/healthz", short(r.URL))
	case u.User != nil:
		c.bad(path+".url", "has a user or a password in it, which would be written to the results")
	}
	if r.Status < 100 || r.Status > 599 {
		c.bad(path+".status", "must be 100 to 599")
	}
	if r.Timeout <= 0 || r.Timeout > unit.Duration(time.Hour) {
		c.bad(path+".timeout", "must be above 0s, an hour at most")
	}
}
