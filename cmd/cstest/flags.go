package main

import (
	"encoding"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// text is a quantity of package unit as a flag.
type text struct {
	value interface {
		encoding.TextUnmarshaler
		fmt.Stringer
	}
	set bool
}

func textFlag(v interface {
	encoding.TextUnmarshaler
	fmt.Stringer
},
) pflag.Value {
	return &text{value: v}
}

// String is what is printed as the default: nothing until it was set.
func (t *text) String() string {
	if t.value == nil || !t.set {
		return ""
	}
	return t.value.String()
}

// Set parses the flag's argument.
func (t *text) Set(s string) error {
	t.set = true
	return t.value.UnmarshalText([]byte(s))
}

// Type names the argument in help texts.
func (t *text) Type() string {
	name := strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", t.value), "*unit."))
	return name
}

// pairs reads repeated NAME=VALUE arguments of a flag.
func pairs(flag string, args []string) (map[string]string, error) {
	m := map[string]string{}
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		if !ok || name == "" {
			return nil, usagef("--%s %q: want NAME=VALUE", flag, a)
		}
		if _, twice := m[name]; twice {
			return nil, usagef("--%s %s is given twice", flag, name)
		}
		m[name] = value
	}
	return m, nil
}

// readSecret reads a secret from a small regular file, less its last newline.
func readSecret(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", usageError{err}
	}
	if !st.Mode().IsRegular() || st.Size() > 64<<10 {
		return "", usagef("%s: a secret is read from a regular file of at most 64 KiB", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", usageError{err}
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}
