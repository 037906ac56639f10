// Package webpage has what the pages of all kinds of reports share: style, policy, head, and
// how a template is filled.
package webpage

import (
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/markup"
	"github.com/cstest/cstest/report/internal/words"
)

var (
	//go:embed assets/scriptless.html
	scriptlessSource string
	// Style is that of every page.
	//go:embed assets/report.css
	Style string
	//go:embed assets/experiment.css
	experimentStyle string
)

// Head is what the head of a page without a script says. Its policy
// forbids everything but its own style.
type Head struct {
	Title, Policy string
	Style         markup.Raw
}

// HeadOf is the head of a page about what of a scenario.
func HeadOf(scenario, what string, w *words.Words) Head {
	style := Style + "\n" + experimentStyle
	return Head{
		Title: escape.Fit(escape.Clean(scenario), 48) + w.Colon + what, Style: markup.Raw(style),
		Policy: "default-src 'none'; style-src " + Hash(style) + "; img-src data:; base-uri 'none'; form-action 'none'",
	}
}

// Write writes a page whose source begins with the head that all of
// them share; data embeds a Head.
func Write(source string, w *words.Words, data any, out io.Writer) error {
	t, err := markup.Parse(Funcs(w), source, scriptlessSource)
	if err == nil {
		err = t.Execute(out, data)
	}
	if err != nil {
		return fmt.Errorf("HTML: %w", err)
	}
	return nil
}

// Funcs are what the templates of every page may call.
func Funcs(w *words.Words) markup.Funcs {
	return markup.Funcs{
		"clean":   func(s string) string { return strings.ReplaceAll(escape.Fit(s, 600), " %", "\u00a0%") },
		"label":   func(s string) string { return escape.Fit(s, 48) },
		"started": started,
		"word":    w.Word,
		"class":   Class,
	}
}

// started prints an instant as tune.json and capacity.json have it.
func started(rfc3339 string) string {
	t, err := time.Parse(time.RFC3339Nano, rfc3339)
	if err != nil {
		return escape.Clean(rfc3339)
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// Class is the CSS class of a verdict; what is not one has none.
func Class(name string) string {
	switch name {
	case "pass", "fail", "inconclusive", "invalid", "incomplete", "not_verified":
		return name
	}
	return ""
}

// Hash names a script or style in a Content-Security-Policy.
func Hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
