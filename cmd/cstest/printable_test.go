package main

import (
	"bytes"
	"errors"
	"testing"
)

// What somebody else wrote reaches the terminal with its controls made visible.
func TestErrorsDoNotSteerTheTerminal(t *testing.T) {
	var out bytes.Buffer
	streams{err: &out}.writeError(errors.New("first\x1b]0;x\x07\nsecond \u009b31m\r 客服"))
	if want := "first^[]0;x^G\nsecond ^[31m^M 客服\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
