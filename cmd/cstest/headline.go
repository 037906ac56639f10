package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

// headline is the first line printed: what is about to happen.
func headline(c *chosen, lang reason.Lang) string {
	overrides := reason.New(reason.NoOverrides)
	if len(c.overrides) > 0 {
		overrides = reason.New(reason.Overrides, strings.Join(c.overrides, ", "))
	}
	what := reason.New(reason.ClosedLoad, targetLine(c), c.PeakUsers(), c.TotalDuration(), overrides)
	if rate, known := c.PeakTurnsPerSecond(); known {
		what = reason.New(reason.OpenLoad, targetLine(c), float64(rate), c.TotalDuration(), overrides)
	}
	line := what.Text(lang)
	if n := c.Load.Conversations; n > 0 {
		line += "\n" + reason.New(reason.CountedLoad, n).Text(lang)
	}
	if c.scale != 1 {
		line += "\n" + reason.New(reason.ScaledLoad, unit.Share(c.scale)).Text(lang)
	}
	return line
}

// targetLine says what is tested, without credentials.
func targetLine(c *chosen) string {
	t := &c.Target
	if b := t.Bundled; b != nil {
		redis := "embedded Redis"
		if b.Redis != "" && b.Redis != "embedded" {
			redis = "external Redis"
		}
		return fmt.Sprintf("bundled (%s, %s)", b.Profile, redis)
	}
	shown := t.URL
	if u, err := url.Parse(t.URL); err == nil {
		u.User, u.RawQuery = nil, ""
		shown = u.String()
	}
	if t.TLS != nil && t.TLS.Insecure {
		shown += " (certificate not checked)"
	}
	return shown
}
