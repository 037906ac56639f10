package knobs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/unit"
)

// longestText is how many bytes a knob that is a text may have.
const longestText = 512

// Knob describes one tunable of the server.
type Knob struct {
	Name    string
	Unit    string // duration, rate, share, size, count, switch, or the allowed words joined by |
	Default string // value in the hardened profile, in the form Config.Knobs takes
	Live    bool   // may be changed through /admin/knobs while the server runs
	About   string
}

// List lists every knob with its default in the hardened profile, sorted by
// name.
func List() []Knob {
	s := hardened()
	var list []Knob
	for _, k := range specs() {
		list = append(list, Knob{Name: k.name, Unit: k.unit(), Default: k.text(&s), Live: k.live, About: k.about})
	}
	slices.SortFunc(list, func(a, b Knob) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (k spec) unit() string {
	switch k.at(new(Settings)).(type) {
	case *unit.Duration:
		return "duration"
	case *unit.Rate:
		return "rate"
	case *unit.Share:
		return "share"
	case *unit.Size:
		return "size"
	case *unit.Count:
		return "count"
	case *bool:
		return "switch"
	}
	if len(k.words) > 0 {
		return strings.Join(k.words, "|")
	}
	return "text"
}

func (k spec) text(s *Settings) string {
	switch v := k.at(s).(type) {
	case fmt.Stringer:
		return v.String()
	case *bool:
		return strconv.FormatBool(*v)
	case *string:
		return *v
	}
	return ""
}

func (k spec) set(s *Settings, value string) error {
	switch v := k.at(s).(type) {
	case interface{ UnmarshalText([]byte) error }:
		return v.UnmarshalText([]byte(value))
	case *bool:
		switch value {
		case "true", "on":
			*v = true
		case "false", "off":
			*v = false
		default:
			return fmt.Errorf("%q is not a switch: want on or off", value)
		}
	case *string:
		if len(k.words) > 0 && !slices.Contains(k.words, value) {
			return fmt.Errorf("%q is not one of %s", value, strings.Join(k.words, ", "))
		}
		if len(value) > longestText {
			return fmt.Errorf("longer than %d bytes", longestText)
		}
		*v = value
	}
	return nil
}

// Apply returns a copy of s with the named knobs set, all problems at once.
// With liveOnly, knobs that cannot change while the server runs are refused.
func (s Settings) Apply(values map[string]string, liveOnly bool) (Settings, error) {
	known := map[string]spec{}
	for _, k := range specs() {
		known[k.name] = k
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		k, ok := known[name]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("knob %q is not known: --list-knobs shows all", name))
		case liveOnly && !k.live && k.text(&s) != values[name]:
			errs = append(errs, fmt.Errorf("knob %s cannot change while the server runs", name))
		default:
			if err := k.set(&s, values[name]); err != nil {
				errs = append(errs, fmt.Errorf("knob %s: %w", name, err))
			}
		}
	}
	if err := s.check(); err != nil {
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// ErrUnknown is a name that no knob has.
var ErrUnknown = errors.New("is not known")

// Problems says what is wrong with values on top of a profile, by the knobs' names;
// under "" what is wrong with them together. There are none of a profile that is
// not known.
func Problems(profile string, values map[string]string) map[string]error {
	s, err := Profile(profile)
	if err != nil {
		return nil
	}
	known := map[string]spec{}
	for _, k := range specs() {
		known[k.name] = k
	}
	problems := map[string]error{}
	for name, value := range values {
		if k, ok := known[name]; !ok {
			problems[name] = ErrUnknown
		} else if err := k.set(&s, value); err != nil {
			problems[name] = err
		}
	}
	if len(problems) == 0 {
		if err := s.check(); err != nil {
			problems[""] = err
		}
	}
	return problems
}

// Values are all knobs in their written form.
func (s Settings) Values() map[string]string {
	m := map[string]string{}
	for _, k := range specs() {
		m[k.name] = k.text(&s)
	}
	return m
}

// SHA256 identifies the effective set: lower-case hex over "name=value\n" in
// the order of names.
func (s Settings) SHA256() string {
	m := s.Values()
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(h, "%s=%s\n", name, m[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}
