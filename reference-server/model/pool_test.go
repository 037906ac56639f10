package model

import (
	"net"
	"testing"
	"time"
)

// shutting counts its closes.
type shutting struct {
	net.Conn
	closes int
}

func (s *shutting) Close() error {
	s.closes++
	return nil
}

func TestWhatIsIdleTooLongIsClosed(t *testing.T) {
	var conns [4]shutting
	p := &pool{life: time.Hour, keep: len(conns)}
	for i, age := range []time.Duration{3 * time.Hour, time.Hour, time.Minute, 0} {
		p.idle = append(p.idle, &conn{Conn: &conns[i], since: time.Now().Add(-age)})
	}
	fresh := p.idle[2]
	p.expire()
	if len(p.idle) != 2 || p.idle[0] != fresh || p.expiry == nil {
		t.Errorf("%d stay, to be looked at again %t, want the 2 that are fresh, and to look at them again", len(p.idle), p.expiry != nil)
	}
	p.close()
	if p.idle != nil || p.expiry != nil {
		t.Error("something is left of a closed pool")
	}
	p.put(&conn{Conn: &shutting{}}, true)
	if len(p.idle) > 0 {
		t.Error("a closed pool keeps a connection")
	}
	for i := range conns {
		if conns[i].closes != 1 {
			t.Errorf("connection %d was closed %d times, want once", i, conns[i].closes)
		}
	}
}

func TestAnEmptyPoolIsNotLookedAt(t *testing.T) {
	c := shutting{}
	p := &pool{life: time.Hour, keep: 1}
	p.idle = append(p.idle, &conn{Conn: &c, since: time.Now().Add(-p.life)})
	p.expire()
	if c.closes != 1 || len(p.idle) > 0 || p.expiry != nil {
		t.Errorf("closed %d times, %d idle, to be looked at again %t", c.closes, len(p.idle), p.expiry != nil)
	}
}
