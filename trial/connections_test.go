package trial

import (
	"testing"
)

const anyTarget = "{url: 'http://127.0.0.1:9', api: article"

func TestExpectedConnections(t *testing.T) {
	// A conversation has three turns with 2 s of thought before the second and
	// third and a second for each answer: 7 s.
	for _, tt := range []struct {
		name, target, load string
		shards, want       int
	}{
		{"closed", anyTarget + "}", "{users: 200, for: 1m}", 1, 200},
		{"closed, of three shards", anyTarget + "}", "{users: 200, for: 1m}", 3, 67},
		{"open, steady", anyTarget + "}", "{stages: [{name: s, for: 60s, starts: 10/s}]}", 1, 70},
		{"open, no more than conversations", anyTarget + "}", "{stages: [{name: s, for: 1s, starts: 10/s}]}", 1, 10},
		{"open, a short spike counts with what follows", anyTarget + "}", "{stages: [{name: a, for: 60s, starts: 1/s}, {name: b, for: 1s, starts: 100/s}]}", 1, 160},
		{"shared", anyTarget + ", connections: shared}", "{users: 200, for: 1m}", 1, 0},
		{"agents", "{url: 'http://127.0.0.1:9', mode: agents}", "{users: 200, for: 1m}", 2, 100 + 4},
		{"agents beside shared connections", "{url: 'http://127.0.0.1:9', mode: agents, connections: shared, agents: {sockets: 30}}", "{users: 200, for: 1m}", 2, 30},
		{"sockets", "{url: 'http://127.0.0.1:9', api: custom, mode: websocket, request: {body: {t: '${turn.text}'}}, response: {answer: a}}", "{users: 200, for: 1m}", 2, 100},
		{"h2c", anyTarget + ", http: h2c}", "{users: 200, for: 1m}", 1, 0},
	} {
		if got := expectedConnections(parse(t, tt.target, tt.load), tt.shards); got != tt.want {
			t.Errorf("%s: %d connections, want %d", tt.name, got, tt.want)
		}
	}
}
