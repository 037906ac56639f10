package derive

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/cstest/cstest/reason"
)

// secrets are the values that stay out of the scenario, and the names of the
// environment that stand for them. Nothing of a value is ever written.
type secrets struct {
	names map[string]string // by value
	used  map[string]bool
	notes reason.Reasons
}

func newSecrets() *secrets { return &secrets{names: map[string]string{}, used: map[string]bool{}} }

// keep gives the variable that stands for the value of a field; one that is a variable
// already stays.
func (s *secrets) keep(field, val string) string {
	if strings.HasPrefix(val, "${env:") && strings.HasSuffix(val, "}") {
		return val
	}
	name, ok := s.names[val]
	if !ok {
		base := "CHAT_" + envName(field)
		name = base
		for i := 2; s.used[name]; i++ {
			name = base + "_" + strconv.Itoa(i)
		}
		s.names[val], s.used[name] = name, true
		s.notes = append(s.notes, reason.New(reason.DeriveSecret, name, field))
	}
	return "${env:" + name + "}"
}

// envName is a field's name as one of the environment.
func envName(field string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			return unicode.ToUpper(r)
		default:
			return '_'
		}
	}, field)
	out = strings.TrimPrefix(strings.Trim(out, "_"), "X_")
	if out == "" {
		return "SECRET"
	}
	return out[:min(len(out), 60)]
}
