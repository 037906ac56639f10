package report

import (
	_ "embed" // the page's parts
	"fmt"
	"io"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/report/markup"
)

var (
	//go:embed assets/scriptless.html
	scriptlessSource string
	//go:embed assets/experiment.css
	experimentStyle string
)

// scriptlessHead is what the head of a page without a script says. Its policy
// forbids everything but its own style.
type scriptlessHead struct {
	Title, Policy string
	Style         markup.Raw
}

func headOf(scenario, what string, w *words.Words) scriptlessHead {
	style := pageStyle + "\n" + experimentStyle
	return scriptlessHead{
		Title: escape.Fit(escape.Clean(scenario), 48) + w.Colon + what, Style: markup.Raw(style),
		Policy: "default-src 'none'; style-src " + cspHash(style) + "; img-src data:; base-uri 'none'; form-action 'none'",
	}
}

// writeScriptless writes a page whose source begins with the head that all of
// them share; data embeds a scriptlessHead.
func writeScriptless(source string, w *words.Words, data any, out io.Writer) error {
	t, err := markup.Parse(pageFuncs(w), source, scriptlessSource)
	if err == nil {
		err = t.Execute(out, data)
	}
	if err != nil {
		return fmt.Errorf("HTML: %w", err)
	}
	return nil
}
