package report

import (
	"io"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/ci"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/result"
)

// Renderings are the files that are a function of the Document alone.
func Renderings(d *result.Document, lang reason.Lang) []directory.File {
	return []directory.File{
		{Name: "report.html", Write: func(w io.Writer) error { return WriteHTML(d, w, lang) }},
		{Name: "report.md", Write: func(w io.Writer) error { return WriteMarkdown(d, w, lang) }},
		{Name: "junit.xml", Write: func(w io.Writer) error { return ci.WriteJUnit(d, w) }},
		{Name: "series.csv", Write: func(w io.Writer) error { return WriteCSV(d, w) }},
	}
}
