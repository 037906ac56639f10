package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/cstest/cstest/result"
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

// writeJSON ends b with a newline and spells one character of CI commands as an
// escape: a runner looks for them anywhere in a line, and JSON can hold them in
// strings only, where the escape means the same.
func writeJSON(b []byte, out io.Writer) error {
	b = bytes.ReplaceAll(b, []byte("##"), []byte(`\u0023#`))
	_, err := out.Write(append(b, '\n'))
	return err
}
