package driver

import (
	"strconv"
	"strings"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/socket"
	"github.com/cstest/cstest/driver/internal/socketio"
	"github.com/cstest/cstest/driver/internal/wire"
)

// LookUpMessage gives what stands at a place of the last of the messages that has it,
// of those that Capture was given of a socket.
func LookUpMessage(place, messages string, socketIO bool) (value string, found bool) {
	for line := range strings.Lines(messages) {
		text, ok := socket.Noted(strings.TrimRight(line, "\n"))
		if !ok {
			continue
		}
		name := ""
		if socketIO {
			p, err := socketio.Parse([]byte(text))
			if err != nil || p.Kind != socketio.Event && p.Kind != socketio.Ack {
				continue
			}
			if name, text = string(p.Name), string(p.Data); p.Kind == socketio.Ack {
				name = socketio.AckName
			}
		}
		if v, ok := lookUp(place, "", text, name); ok {
			value, found = v, true
		}
	}
	return value, found
}

// LookUp gives what stands at a place of an answer, for a person to see: head is
// its status line and headers as text, body what is looked into.
func LookUp(place, head, body string) (value string, found bool) {
	return lookUp(place, head, body, "")
}

// LookUpEvent is LookUp for an event of a stream, by its name and its data.
func LookUpEvent(place, head, data, name string) (value string, found bool) {
	return lookUp(place, head, data, name)
}

func lookUp(place, head, body, event string) (value string, found bool) {
	paths := &find.Paths{Of: map[int]string{}}
	p, err := find.Compile(place, paths)
	if err != nil {
		return "", false
	}
	h := wire.Head{Keep: true}
	for i, line := range strings.Split(strings.ReplaceAll(head, "\r\n", "\n"), "\n") {
		if i == 0 {
			if words := strings.Fields(line); len(words) > 1 {
				h.Status, _ = strconv.Atoi(words[1])
			}
			continue
		}
		if name, val, ok := strings.Cut(line, ":"); ok {
			h.Add([]byte(name), []byte(strings.TrimSpace(val)))
		}
	}
	look := find.Answer{Head: &h, Body: []byte(body), Event: []byte(event)}
	scanner := jsonscan.Scanner{Values: make([]jsonscan.Value, paths.Next)}
	places := jsonscan.Compile(paths.Of)
	if doc := []byte(body); places.Find(&scanner, doc) || places.Find(&scanner, unwrapped(doc)) {
		look.JSON = scanner.Values
	}
	v := p.In(&look)
	return string(v.Text), v.Kind != jsonscan.Nothing
}
