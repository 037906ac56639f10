package facts

import (
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// InLanguage is the Document with its reasons and warnings in the reader's language: of
// those that have a code. In English they stay as they were written.
func InLanguage(d *result.Document, lang reason.Lang) *result.Document {
	if lang == reason.English {
		return d
	}
	c := *d
	c.Reasons = words.Texts(d.Reasons, d.ReasonCodes, lang)
	c.Warnings = words.Texts(d.Warnings, d.WarningCodes, lang)
	c.Generator.Reasons = words.Texts(d.Generator.Reasons, d.Generator.ReasonCodes, lang)
	c.Objectives = append([]result.Objective(nil), d.Objectives...)
	for i := range c.Objectives {
		if o := &c.Objectives[i]; o.ReasonCodes.Known() && len(o.ReasonCodes) > 0 {
			o.Reason = o.ReasonCodes.Text(lang)
		}
	}
	if s := d.Slowest; s != nil && s.ReasonCodes.Known() {
		slowest := *s
		slowest.Text = s.ReasonCodes.Text(lang)
		c.Slowest = &slowest
	}
	if d.Client != nil {
		client := *d.Client
		client.Findings = append([]result.ClientFinding(nil), client.Findings...)
		for i := range client.Findings {
			if f := &client.Findings[i]; f.ReasonCodes.Known() && len(f.ReasonCodes) > 0 {
				f.Reason = f.ReasonCodes.Text(lang)
			}
		}
		c.Client = &client
	}
	return &c
}
