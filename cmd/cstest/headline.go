package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/cstest/cstest/unit"
)

// headline is the first line printed: what is about to happen.
func headline(c *chosen) string {
	parts := []string{"target " + targetLine(c)}
	if rate, known := c.PeakTurnsPerSecond(); known {
		parts = append(parts, "peak ≈ "+unit.Figure(float64(rate))+" turns/s")
	} else {
		parts = append(parts, fmt.Sprintf("%s users, closed loop", c.PeakUsers()))
	}
	parts = append(parts, unit.Duration(c.TotalDuration()).Text())
	overrides := "none"
	if len(c.overrides) > 0 {
		overrides = strings.Join(c.overrides, ", ")
	}
	parts = append(parts, "overrides: "+overrides)
	line := strings.Join(parts, " · ")
	if c.scale != 1 {
		line += fmt.Sprintf("\nscaled to %s: what this run shows says nothing about 100 %%", c.scale)
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
