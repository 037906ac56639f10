// Package scenarios holds the built-in scenarios and what each says of itself.
// Every one of them is run by scripts/library.sh, which holds it to its verdict.
package scenarios

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.yaml apis/*.yaml
var files embed.FS

const extension = ".yaml"

// Names lists the built-in scenarios in alphabetical order.
func Names() []string { return named("*") }

// APIs lists those to start from for chat systems of a usual API, as "apis/dify".
// They name no server: CHAT_URL in the environment does, and CHAT_KEY its key.
func APIs() []string { return named("apis/*") }

func named(pattern string) []string {
	paths, err := fs.Glob(files, pattern+extension)
	if err != nil {
		return nil // the patterns are right
	}
	for i := range paths {
		paths[i] = strings.TrimSuffix(paths[i], extension)
	}
	return paths
}

// Get gives the YAML text of a built-in scenario, and whether there is one of
// that name. The caller may change the text.
func Get(name string) ([]byte, bool) {
	text, err := files.ReadFile(name + extension)
	return text, err == nil
}
