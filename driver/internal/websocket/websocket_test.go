package websocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"unicode/utf8"
)

// all takes every message out of in, which comes in pieces of n bytes.
func all(r *Reader, in []byte, n int) (list []Message, err error) {
	for len(in) > 0 {
		piece := slices.Clone(in[:min(n, len(in))])
		in = in[len(piece):]
		for len(piece) > 0 || r.open && r.left == 0 {
			used, m, whole, err := r.Next(piece)
			if err != nil {
				return list, err
			}
			if piece = piece[used:]; whole {
				list = append(list, m)
			} else if len(piece) > 0 {
				return list, errors.New("bytes were left behind")
			}
		}
	}
	return list, nil
}

// unmasked undoes the mask of a client's frame, so that it is one of a server's.
func unmasked(frame []byte) []byte {
	head := 2
	switch frame[1] & 0x7f {
	case 126:
		head = 4
	case 127:
		head = 10
	}
	key := [4]byte(frame[head:])
	payload := slices.Clone(frame[head+4:])
	mask(payload, key)
	plain := append(slices.Clone(frame[:head]), payload...)
	plain[1] &= 0x7f
	return plain
}

// What is written is read, at every length at which its form changes.
func TestFramesReadBack(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 125, 126, 127, 65535, 65536, 100_000} {
		payload := bytes.Repeat([]byte("é"), n/2+1)[:n&^1]
		frame := Append(nil, Text, payload)
		if frame[1]&0x80 == 0 || n > 8 && bytes.Contains(frame, payload) {
			t.Errorf("%d bytes: the frame is not masked", n)
		}
		for _, step := range []int{1, 3, 1 << 20} {
			got, err := all(&Reader{Limit: 1 << 20}, unmasked(frame), step)
			if err != nil || len(got) != 1 || got[0].Op != Text || !bytes.Equal(got[0].Payload, payload) {
				t.Fatalf("%d bytes in steps of %d: %d messages, %v", n, step, len(got), err)
			}
		}
	}
}

// Control frames between the frames of a message come before it, and leave it whole.
func TestControlsWithinAMessage(t *testing.T) {
	in := "\x01\x02ab\x89\x01p\x00\x00\x8a\x00\x80\x01c\x88\x04\x03\xe8ok"
	for n := 1; n <= len(in); n++ {
		got, err := all(&Reader{Limit: 3}, []byte(in), n)
		if err != nil || len(got) != 4 || string(got[0].Payload) != "p" || got[1].Op != Pong || string(got[2].Payload) != "abc" || CloseCode(got[3].Payload) != 1000 {
			t.Fatalf("in steps of %d: %v, %v", n, got, err)
		}
	}
}

// Whatever comes: no panic, the same in whatever pieces, text that is UTF-8, nothing
// beyond the limit, and no memory kept between messages.
func FuzzFrames(f *testing.F) {
	for _, seed := range []string{"\x81\x02hi", "\x01\x01a\x80\x01b", "\x89\x00\x81\x00", "\x82\x7e\x00\x7e", "\x88\x02\x03\xe8", "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", "\xc1\x00", "\x81\x80\x00\x00\x00\x00"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		const limit = 1 << 10
		step = max(1, step&0xff)
		whole, errWhole := all(&Reader{Limit: limit}, in, len(in)+1)
		r := &Reader{Limit: limit}
		pieces, errPieces := all(r, in, step)
		if (errWhole == nil) != (errPieces == nil) || errWhole != nil && errWhole.Error() != errPieces.Error() {
			t.Fatalf("whole: %v, in pieces: %v", errWhole, errPieces)
		}
		if !slices.EqualFunc(whole, pieces, func(a, b Message) bool { return a.Op == b.Op && bytes.Equal(a.Payload, b.Payload) }) {
			t.Fatalf("%v in pieces is %v", whole, pieces)
		}
		for _, m := range whole {
			if len(m.Payload) > limit || m.Op == Text && !utf8.Valid(m.Payload) || m.Op >= Close && len(m.Payload) > maxControl || m.Op == Continuation {
				t.Fatalf("%v came through", m)
			}
		}
		if errPieces == nil && r.Idle() && (len(r.part) > 0 || len(r.control) > 0) {
			t.Fatal("an idle reader keeps memory")
		}
	})
}

// What a server must send back for a key is that of RFC 6455, and every other answer
// is told from it.
func TestAgreed(t *testing.T) {
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	good := func() map[string]string {
		return map[string]string{"upgrade": "WebSocket", "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}
	}
	for _, tt := range []struct {
		name, value, want string
		offered           []string
	}{
		{"", "", "", nil},
		{"sec-websocket-protocol", "b", "", []string{"a", "b"}},
		{"", "", "it chooses none of the subprotocols", []string{"a"}},
		{"sec-websocket-protocol", "c", "it chooses a subprotocol that was not offered", []string{"a", "b"}},
		{"sec-websocket-extensions", "permessage-deflate", "it chooses an extension that was not offered", nil},
		{"sec-websocket-accept", "x", "its Sec-WebSocket-Accept is not the one for our key", nil},
		{"upgrade", "h2c", "it switches to another protocol than websocket", nil},
	} {
		fields := good()
		if tt.name != "" {
			fields[tt.name] = tt.value
		}
		got := Agreed(key, tt.offered, func(name string) ([]byte, bool) {
			v, ok := fields[name]
			return []byte(v), ok
		})
		if got != tt.want {
			t.Errorf("%s: %q: %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
	if a, b := NewKey(), NewKey(); a == b || len(a) != 24 {
		t.Errorf("keys %q and %q", a, b)
	}
}

// Codes that no close frame may have (RFC 6455, 7.4).
func TestCloseCodes(t *testing.T) {
	for code, want := range map[int]bool{999: false, 1000: true, 1001: true, 1003: true, 1004: false, 1005: false, 1006: false, 1007: true, 1013: true, 1014: true, 1015: false, 2999: false, 3000: true, 4999: true, 5000: false} {
		_, err := all(&Reader{}, append([]byte{0x88, 2}, binary.BigEndian.AppendUint16(nil, uint16(code))...), 100)
		if (err == nil) != want {
			t.Errorf("%d: %v", code, err)
		}
	}
}

// A message that comes in one piece costs no memory.
func TestReadingAllocatesNothing(t *testing.T) {
	in := []byte("\x81\x05hello\x89\x00\x81\x05world")
	r := &Reader{Limit: 100}
	if n := testing.AllocsPerRun(100, func() {
		for at := 0; at < len(in); {
			used, _, _, err := r.Next(in[at:])
			if err != nil {
				t.Fatal(err)
			}
			at += used
		}
		r.Calm()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
