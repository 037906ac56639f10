package report

import (
	"io"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/result"
)

// WriteJSON writes d as result.json.
func WriteJSON(d *result.Document, out io.Writer) error {
	return escape.JSON(result.DocumentFile, d, out)
}
