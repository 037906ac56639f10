package escape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/cstest/cstest/visible"
)

// JSON writes v, indented, with a newline at the end; what names it in an error. The
// bytes <, > and & are escaped, so that the text may stand in a page, and so is what a
// terminal would obey and one character of CI commands, for which a runner looks
// anywhere in a line: JSON can hold them in strings only, where the escape means the same.
func JSON(what string, v any, out io.Writer) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	b = visible.JSON(bytes.ReplaceAll(b, []byte("##"), []byte(`\u0023#`)))
	_, err = out.Write(append(b, '\n'))
	return err
}
