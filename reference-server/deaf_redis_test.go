package refserver

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// deafRedis is a way to Redis that can lose every reply after Redis has done what was
// asked, hold replies back, cut connections, and be away.
type deafRedis struct {
	url   string
	to    string
	deaf  atomic.Bool
	delay atomic.Int64 // of replies, ns

	mu     sync.Mutex
	closed bool // nobody is let in
	open   map[net.Conn]struct{}
}

func newDeafRedis(t *testing.T, redisURL string) *deafRedis {
	t.Helper()
	ln := listenLoopback(t)
	d := &deafRedis{url: "redis://" + ln.Addr().String(), to: strings.TrimPrefix(redisURL, "redis://"), open: map[net.Conn]struct{}{}}
	t.Cleanup(func() {
		ln.Close()
		d.shut(true)
	})
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			go d.carry(client)
		}
	}()
	return d
}

// shut closes the way and every connection on it, or opens it again.
func (d *deafRedis) shut(closed bool) {
	d.mu.Lock()
	d.closed = closed
	d.mu.Unlock()
	if closed {
		d.cut()
	}
}

func (d *deafRedis) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for conn := range d.open {
		conn.Close()
	}
}

// enter keeps a connection for cut; false: the way is closed.
func (d *deafRedis) enter(conn net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.open[conn] = struct{}{}
	}
	return !d.closed
}

func (d *deafRedis) carry(client net.Conn) {
	defer client.Close()
	if !d.enter(client) {
		return
	}
	defer func() {
		d.mu.Lock()
		delete(d.open, client)
		d.mu.Unlock()
	}()
	server, err := net.Dial("tcp", d.to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { _, _ = io.Copy(server, client); server.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		if pause := time.Duration(d.delay.Load()); pause > 0 {
			time.Sleep(pause)
		}
		if d.deaf.Load() {
			continue
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}
