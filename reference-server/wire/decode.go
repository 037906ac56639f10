package wire

import (
	"encoding/json"
	"errors"
	"io"
)

const maxDecode = 64 << 10 // bytes

// Decode reads one JSON value of at most 64 KiB without unknown fields.
func Decode(r io.Reader, v any) error {
	d := json.NewDecoder(io.LimitReader(r, maxDecode))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}
