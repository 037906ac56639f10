package scenario

import (
	"net/url"
	"regexp"
	"slices"
	"unicode/utf8"
)

// The most figures that are observed, and receivers that are told: all of them are
// asked every second, or waited for at the end.
const (
	maxObservations = 32
	maxNotices      = 16
	maxPromQL       = 4096 // bytes
	maxUnit         = 16
)

var metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)

func (c *checker) observe() {
	if len(c.Observe) > maxObservations {
		c.bad("observe", "has more than %d figures", maxObservations)
	}
	seen := map[string]bool{}
	for i := range c.Observe {
		o := &c.Observe[i]
		path := item("observe", i, "")
		c.name(path+".name", o.Name)
		c.unique(seen, path+".name", o.Name)
		c.plainURL(path+".url", o.URL)
		switch {
		case (o.PromQL == "") == (o.Metric == ""):
			c.bad(path, "write promql, for a Prometheus, or metric, for what is scraped")
		case len(o.PromQL) > maxPromQL:
			c.bad(path+".promql", "is longer than %d bytes", maxPromQL)
		case o.Metric != "" && !metricName.MatchString(o.Metric):
			c.bad(path+".metric", "%q is no name of a metric", short(o.Metric))
		}
		if o.PromQL != "" && (len(o.Labels) > 0 || o.Rate) {
			c.bad(path+".promql", "says labels and rate itself: they are for metric")
		}
		if utf8.RuneCountInString(o.Unit) > maxUnit {
			c.bad(path+".unit", "is longer than %d characters", maxUnit)
		}
		c.headers(path+".headers", o.Headers)
	}
}

// plainURL refuses what is no address of a web server, and one with a password in it.
func (c *checker) plainURL(path, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		c.bad(path, "must be a URL such as http://127.0.0.1:9090")
	case u.User != nil:
		c.bad(path, "has a user or a password in it, which would be written to the results: use headers with ${env:NAME}")
	}
}

// observed refuses the name of what is not observed.
func (c *checker) observed(path, name string) {
	var names []string
	for _, o := range c.Observe {
		names = append(names, o.Name)
	}
	if !slices.Contains(names, name) {
		c.bad(path, "there is no %q in observe%s", short(name), didYouMean(name, names))
	}
}

// limits checks an objective about what is observed.
func (c *checker) limits(path string, o *Objective) {
	c.observed(path+".observe", o.Observe)
	if o.Min == 0 && o.Max == 0 {
		c.bad(path, "says no limit: give min or max")
	}
	if o.Max > 0 && o.Min > o.Max {
		c.bad(path+".min", "is above max: nothing is within them")
	}
}

func (c *checker) fuses(list []Fuse) {
	if len(list) > maxObservations {
		c.bad("guard.abort.observed", "has more than %d figures", maxObservations)
	}
	for i, f := range list {
		path := item("guard.abort.observed", i, "")
		c.observed(path+".name", f.Name)
		if (f.Above == nil) == (f.Below == nil) {
			c.bad(path, "write above or below")
		}
		if f.For <= 0 {
			c.bad(path+".for", "must be above 0s")
		}
	}
}

func (c *checker) notify() {
	if len(c.Notify) > maxNotices {
		c.bad("notify", "has more than %d receivers", maxNotices)
	}
	for i := range c.Notify {
		n := &c.Notify[i]
		path := item("notify", i, "")
		if n.URL == "" {
			c.bad(path+".url", "is missing")
		} else if constant(n.URL) {
			if c.plainURL(path+".url", n.URL); n.Kind != Webhook {
				c.warn(path+".url", "whoever has it can write there: use ${env:NAME} or ${file:PATH}")
			}
		}
		if n.Secret != "" && constant(n.Secret) {
			c.bad(path+".secret", "would be written to the results: use ${env:NAME} or ${file:PATH}")
		}
		if n.Secret != "" && (n.Kind == WeCom || n.Kind == Slack) {
			c.bad(path+".secret", "means nothing to kind %s: remove it", n.Kind)
		}
	}
}
