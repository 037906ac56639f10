//go:build unix

package model

import "testing"

// A connection that its server closed, or spoke on unasked, carries no call.
func TestKeptConnectionsAreLookedAt(t *testing.T) {
	for name, behind := range map[string]string{"closed": "", "spoken on": plainAnswer("不是")} {
		t.Run(name, func(t *testing.T) {
			after, done := make(chan struct{}), make(chan struct{})
			p := newPeer(t, func(n int64, l *line) {
				if !l.read() {
					return
				}
				l.write(plainAnswer("好"))
				if n == 1 {
					<-after
					l.write(behind)
					if behind == "" {
						l.Close()
					}
					close(done)
				}
				l.closed()
			})
			m := newTestClient(t, p.url, usual)
			wantSaid(t, m, "好")
			close(after)
			<-done
			wantSaid(t, m, "好")
			wantCount(t, "connections", &p.conns, 2)
			wantCount(t, "requests", &p.requests, 2)
		})
	}
}
