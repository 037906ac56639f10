// Package scenarios holds the built-in scenarios and what each says of itself.
// Every one of them is run by scripts/library.sh, which holds it to its verdict.
package scenarios

import (
	"embed"
	"strings"
)

//go:embed *.yaml
var files embed.FS

const extension = ".yaml"

// Names lists the built-in scenarios in alphabetical order.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // an embedded folder can be read
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), extension))
	}
	return names
}

// Get gives the YAML text of a built-in scenario, and whether there is one of
// that name. The caller may change the text.
func Get(name string) ([]byte, bool) {
	text, err := files.ReadFile(name + extension)
	return text, err == nil
}
