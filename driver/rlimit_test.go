//go:build unix

package driver

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

// Without descriptors a turn is not the target's fault, and the next one is fine.
func TestOutOfDescriptors(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Skip(err)
	}
	srv := newChatServer(t, false)
	d := open(t, &scenario.Target{URL: srv.URL, Connections: "per-turn"}, Options{Base: time.Now()})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	do := func() (Reason, string) {
		var r Reply
		line.Do(&Turn{Text: []byte("hi")}, &r)
		defer line.Free(&r)
		return r.Reason, r.Message
	}
	if reason, message := do(); reason != Complete {
		t.Fatalf("reason %d %q", reason, message)
	}
	low := limit
	low.Cur = 3
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Skip(err)
	}
	reason, message := do()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if reason != Exhausted || !strings.Contains(message, "too many open files") {
		t.Errorf("reason %d %q", reason, message)
	}
	if reason, message := do(); reason != Complete {
		t.Errorf("reason %d %q", reason, message)
	}
}
