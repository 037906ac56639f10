package report

import (
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
)

// said is the Document with its reasons and warnings in the reader's language: of
// those that have a code. In English they stay as they were written.
func said(d *result.Document, lang Lang) *result.Document {
	if lang == English {
		return d
	}
	c := *d
	c.Reasons = inLanguage(d.Reasons, d.ReasonCodes, lang)
	c.Warnings = inLanguage(d.Warnings, d.WarningCodes, lang)
	c.Generator.Reasons = inLanguage(d.Generator.Reasons, d.Generator.ReasonCodes, lang)
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

// inLanguage gives texts by their codes; one whose code is not known, or has
// none, stays as it is.
func inLanguage(texts []string, codes reason.Reasons, lang Lang) []string {
	out := append([]string{}, texts...)
	if len(codes) != len(texts) {
		return out
	}
	for i, r := range codes {
		if r.Known() {
			out[i] = r.Text(lang)
		}
	}
	return out
}
