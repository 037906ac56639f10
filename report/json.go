package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/cstest/cstest/reason"
)

// WriteJSON writes d as result.json, indented, with a newline at the end. The
// bytes <, > and & are escaped, so that the text may stand in a page.
func WriteJSON(d *Document, out io.Writer) error {
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

// ParseJSON reads what WriteJSON wrote. It refuses other schema versions and
// documents whose counts do not add up.
func ParseJSON(b []byte) (*Document, error) {
	var d Document
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, fmt.Errorf("not a result: %w", err)
	}
	d.withoutCodes()
	if d.SchemaVersion != SchemaVersion {
		return nil, fmt.Errorf("schema version %d: this cstest reads version %d", d.SchemaVersion, SchemaVersion)
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	return &d, nil
}

// Check verifies conservation: every planned conversation was started or
// dropped, and every turn has one outcome.
func (d *Document) Check() error {
	c := d.Counts
	if want := c.ConversationsPlanned - c.DroppedTarget - c.DroppedGenerator; c.Conversations != want {
		return fmt.Errorf("counts do not add up: %d conversations, but planned less dropped is %d", c.Conversations, want)
	}
	sum := c.OK + c.Degraded + c.Unexpected + c.ContextLost + c.RateLimited + c.Shed + c.ClientError + c.ServerError +
		c.Truncated + c.Timeout + c.TransportError + c.Integrity + c.Censored
	if c.Turns != sum {
		return fmt.Errorf("counts do not add up: %d turns, but the outcomes sum to %d", c.Turns, sum)
	}
	return nil
}

// withoutCodes makes the codes of a result that was written before there were any
// empty lists.
func (d *Document) withoutCodes() {
	for _, list := range []*reason.Reasons{&d.ReasonCodes, &d.WarningCodes, &d.Generator.ReasonCodes} {
		*list = list.OrEmpty()
	}
	for i := range d.Objectives {
		d.Objectives[i].ReasonCodes = d.Objectives[i].ReasonCodes.OrEmpty()
	}
}
