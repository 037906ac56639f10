// Package socketio takes the packets of socket.io (protocol 5) on engine.io
// (protocol 4) apart, as they come in messages of a WebSocket, and writes those of a
// client. It is pure.
package socketio

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/cstest/cstest/template"
	"github.com/tidwall/gjson"
)

// Kind is what a packet is.
type Kind uint8

// The kinds: those of engine.io first.
const (
	Noop         Kind = iota // also what only polling has
	Open                     // Data: sid, pingInterval, pingTimeout in JSON
	Closing                  // the connection ends
	Ping                     // to be answered with a pong
	Pong                     //
	Connect                  // of a namespace; Data: JSON, or nothing
	Disconnect               // of a namespace
	Event                    // Name, Data
	Ack                      // of what was sent with ID; Data
	ConnectError             // a namespace was refused; Data: JSON
)

// Packet is one packet. Its slices lie in what was parsed, but for a Name with
// escapes and Data of several arguments.
type Packet struct {
	Kind      Kind
	Namespace []byte // "/" where it is the usual one
	ID        int64  // of an event that asks for an acknowledgement, or of one; -1: none
	Name      []byte
	// Data is the one argument of an event or an acknowledgement, their list where there
	// are several, nothing where there is none.
	Data []byte
	// Attachments are binary messages that come behind.
	Attachments int
}

// AckName is what an acknowledgement is called where events have names.
const AckName = "ack"

// What is wrong with a packet.
var (
	errEmpty  = errors.New("an empty packet")
	errKind   = errors.New("a packet of an unknown type")
	errNumber = errors.New("a packet with a number that is none")
	errData   = errors.New("a packet whose data are no list of JSON with a name")
)

// MaxAttachments bounds those of a packet.
const MaxAttachments = 100

// Parse takes a text message apart.
func Parse(text []byte) (Packet, error) {
	p := Packet{ID: -1}
	if len(text) == 0 {
		return p, errEmpty
	}
	rest := text[1:]
	switch text[0] {
	case '0':
		p.Kind, p.Data = Open, rest
		if !gjson.ValidBytes(rest) {
			return p, errData
		}
	case '1':
		p.Kind = Closing
	case '2':
		p.Kind, p.Data = Ping, rest
	case '3':
		p.Kind = Pong
	case '4':
		return p.message(rest)
	case '5', '6': // upgrade, noop
	default:
		return p, errKind
	}
	return p, nil
}

// message takes apart what engine.io carries.
func (p Packet) message(b []byte) (Packet, error) {
	if len(b) == 0 {
		return p, errEmpty
	}
	kind, binary := b[0], false
	b = b[1:]
	switch kind {
	case '0':
		p.Kind = Connect
	case '1':
		p.Kind = Disconnect
	case '2', '5':
		p.Kind, binary = Event, kind == '5'
	case '3', '6':
		p.Kind, binary = Ack, kind == '6'
	case '4':
		p.Kind = ConnectError
	default:
		return p, errKind
	}
	if binary {
		digits, rest, ok := bytes.Cut(b, []byte("-"))
		n, err := strconv.Atoi(string(digits))
		if !ok || err != nil || n < 0 || n > MaxAttachments {
			return p, errNumber
		}
		p.Attachments, b = n, rest
	}
	p.Namespace = []byte("/")
	if len(b) > 0 && b[0] == '/' {
		ns, rest, ok := bytes.Cut(b, []byte(","))
		if ns, _, _ = bytes.Cut(ns, []byte("?")); !ok {
			rest = nil
		}
		p.Namespace, b = ns, rest
	}
	digits := 0
	for digits < len(b) && b[digits] >= '0' && b[digits] <= '9' {
		digits++
	}
	if digits > 0 {
		id, err := strconv.ParseInt(string(b[:digits]), 10, 64)
		if err != nil {
			return p, errNumber
		}
		p.ID, b = id, b[digits:]
	}
	if len(b) > 0 && !gjson.ValidBytes(b) {
		return p, errData
	}
	p.Data = b
	if p.Kind == Event || p.Kind == Ack {
		return p.arguments(b)
	}
	return p, nil
}

// arguments takes a list of them apart.
func (p Packet) arguments(list []byte) (Packet, error) {
	all := gjson.ParseBytes(list)
	if !all.IsArray() || p.Kind == Ack && p.ID < 0 {
		return p, errData
	}
	first, from, n := gjson.Result{}, 0, 0
	named := p.Kind == Event
	sound := true
	all.ForEach(func(_, v gjson.Result) bool {
		if named {
			named, sound = false, v.Type == gjson.String || v.Type == gjson.Number
			p.Name = []byte(v.String())
			return sound
		}
		if n++; n == 1 {
			first, from = v, v.Index
		}
		return n < 2
	})
	switch {
	case named || !sound:
		return p, errData
	case n == 0:
		p.Data = nil
	case n == 1:
		p.Data = []byte(first.Raw)
	default:
		p.Data = append([]byte{'['}, list[from:]...)
	}
	return p, nil
}

// appendHead appends the beginning of a packet of a namespace.
func appendHead(dst []byte, kind byte, namespace string, id int64) []byte {
	dst = append(dst, '4', kind)
	if namespace != "/" && namespace != "" {
		dst = append(append(dst, namespace...), ',')
	}
	if id >= 0 {
		dst = strconv.AppendInt(dst, id, 10)
	}
	return dst
}

// AppendEvent appends an event up to where its argument, JSON, stands, EndEvent what is
// behind it. id asks for an acknowledgement where it is not below zero.
func AppendEvent(dst []byte, namespace, name string, id int64) []byte {
	dst = append(appendHead(dst, '2', namespace, id), '[', '"')
	return append(template.AppendJSON(dst, name), '"')
}

// AppendConnect appends what asks for a namespace; auth is JSON, or nothing.
func AppendConnect(dst []byte, namespace string, auth []byte) []byte {
	return append(appendHead(dst, '0', namespace, -1), auth...)
}

// AppendAck appends the acknowledgement of an event.
func AppendAck(dst []byte, namespace string, id int64) []byte {
	return append(appendHead(dst, '3', namespace, id), "[]"...)
}
