package output

import (
	"net/url"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

// Spec is an output as it was asked for: NAME=VALUE.
type Spec struct {
	Kind string
	To   string // a file, an address or a URL
}

// Kinds are the names of outputs.
func Kinds() []string { return []string{"prometheus", "remote-write", "otlp", "json", "turns"} }

// ParseSpecs reads what --out was given, and refuses an output given twice.
func ParseSpecs(args []string) ([]Spec, error) {
	var list []Spec
	for _, arg := range args {
		kind, to, ok := strings.Cut(arg, "=")
		if !ok || to == "" || !slices.Contains(Kinds(), kind) {
			return nil, reason.Errorf("--out %q: want NAME=VALUE with a name of %s; where the results go is --results-dir", arg, strings.Join(Kinds(), ", "))
		}
		s := Spec{kind, to}
		if slices.Contains(list, s) {
			return nil, reason.Errorf("--out %s is given twice", s)
		}
		list = append(list, s)
	}
	return list, nil
}

// ParseSpecsElsewhere is ParseSpecs for a load that others drive: their journals have
// no turn by itself.
func ParseSpecsElsewhere(args []string) ([]Spec, error) {
	list, err := ParseSpecs(args)
	for _, s := range list {
		if s.Kind == "turns" {
			return nil, reason.Errorf("--out %s: what comes from other machines has seconds, not single turns", s)
		}
	}
	return list, err
}

// String is the output without what a URL may have of secrets.
func (s Spec) String() string { return s.Kind + "=" + s.Shown() }

// Shown is To without what a URL may have of secrets.
func (s Spec) Shown() string {
	u, err := url.Parse(s.To)
	if err != nil || u.Host == "" {
		return s.To
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
