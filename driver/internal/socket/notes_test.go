package socket

import (
	"strings"
	"testing"
	"unicode"

	"github.com/cstest/cstest/driver/internal/websocket"
)

// A frame is one line for a person, whatever is in it; of a text that came the payload
// is to be had from the line again.
func TestNotes(t *testing.T) {
	for _, tt := range []struct {
		received bool
		op       websocket.Opcode
		payload  string
		want     string
	}{
		{true, websocket.Text, `{"a":1}`, `← text, 7 bytes: {"a":1}`},
		{true, websocket.Text, "a\n\x1b[31m\x7f\t好", "← text, 12 bytes: a␊␛[31m␡␉好"},
		{false, websocket.Text, "hi", "→ text, 2 bytes: hi"},
		{true, websocket.Ping, "", "← ping, 0 bytes"},
		{false, websocket.Pong, "x\x00", "→ pong, 2 bytes: x␀"},
		{true, websocket.Close, "\x03\xf5try later", "← close 1013, 9 bytes: try later"},
		{true, websocket.Binary, "\x01\xff", "← binary, 2 bytes: 01ff"},
		{true, websocket.Ping, "\xff\xfe", "← ping, 2 bytes: fffe"},
	} {
		got := string(appendNote(nil, tt.received, tt.op, []byte(tt.payload)))
		if got != tt.want+"\n" {
			t.Errorf("%q, want %q", got, tt.want)
		}
		if strings.ContainsFunc(strings.TrimSuffix(got, "\n"), unicode.IsControl) {
			t.Errorf("%q has a control character", got)
		}
		payload, ok := Noted(strings.TrimSuffix(got, "\n"))
		if ok != (tt.received && tt.op == websocket.Text) || ok && payload != tt.payload {
			t.Errorf("%q is read back as %q", got, payload)
		}
	}
}
