package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/visible"
)

// WriteJSON writes d as result.json, indented, with a newline at the end. The
// bytes <, > and & are escaped, so that the text may stand in a page.
func WriteJSON(d *result.Document, out io.Writer) error {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("result.json: %w", err)
	}
	return writeJSON(b, out)
}

// writeJSON ends b with a newline and spells as escapes what a terminal would obey
// and one character of CI commands, for which a runner looks anywhere in a line:
// JSON can hold them in strings only, where the escape means the same.
func writeJSON(b []byte, out io.Writer) error {
	b = visible.JSON(bytes.ReplaceAll(b, []byte("##"), []byte(`\u0023#`)))
	_, err := out.Write(append(b, '\n'))
	return err
}
