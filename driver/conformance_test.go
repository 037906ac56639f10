package driver

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/unit"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// talk has a conversation and gives its transcript.
func talk(t *testing.T, d Driver, user string, says ...string) []string {
	t.Helper()
	line := d.Open(&User{ID: user})
	defer line.Close()
	var dialog []byte
	var transcript []string
	for i, say := range says {
		var r Reply
		line.Do(&Turn{Text: []byte(say), DialogID: dialog, TurnID: fmt.Appendf(nil, "%s-%d", user, i), Index: i}, &r)
		if r.Begun <= 0 || r.Sent < r.Begun || r.FirstByte < r.Sent || r.Done < r.FirstByte {
			t.Errorf("times: begun %d sent %d first byte %d done %d", r.Begun, r.Sent, r.FirstByte, r.Done)
		}
		transcript = append(transcript, fmt.Sprintf("%d %d %q %s %q %q turns %d %s ok %t", r.Status, r.Reason, r.Message, r.Answer, r.Tier, r.Code, r.ContextTurns, r.TurnID, r.OK))
		dialog = append(dialog[:0], r.DialogID...)
		line.Free(&r)
	}
	return transcript
}

var script = []string{"我有一张满减优惠券,怎么用?", "我要退货 \"A\\B\"\n\t\u0001 😀", "优惠券还能用吗?", strings.Repeat("长", 700)}

// The same conversation gives the same transcript over every wire.
func TestEveryWireSaysTheSame(t *testing.T) {
	all, servers := wires(t)
	var want []string
	for _, w := range all {
		t.Run(w.name, func(t *testing.T) {
			before := servers[0].turns.Load() + servers[1].turns.Load()
			d := open(t, &w.target, Options{Base: time.Now()})
			got := talk(t, d, "u", script...)
			if want == nil {
				want = got
				if !strings.Contains(got[1], `退货`) || !strings.HasPrefix(got[3], `200 0 ""`) {
					t.Fatalf("transcript %q", got)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if n := servers[0].turns.Load() + servers[1].turns.Load() - before; n != int64(len(script)) {
				t.Errorf("%d turns sent, the server saw %d", len(script), n)
			}
		})
	}
}

// The rules of Driver, on every wire.
func TestContract(t *testing.T) {
	all, _ := wires(t)
	for _, w := range all {
		t.Run(w.name, func(t *testing.T) {
			d := open(t, &w.target, Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			do := func(text string) Reply {
				var r Reply
				line.Do(&Turn{Text: []byte(text)}, &r)
				return r
			}
			check := func(r Reply, status int, reason Reason, message string) {
				t.Helper()
				if r.Status != status || r.Reason != reason || r.Message != message {
					t.Errorf("status %d reason %d %q, want %d %d %q", r.Status, r.Reason, r.Message, status, reason, message)
				}
			}
			r := do("refuse")
			check(r, 503, Complete, "")
			if string(r.Code) != "shed" {
				t.Errorf("code %q", r.Code)
			}
			line.Free(&r)
			r = do("moved")
			check(r, 307, Complete, "")
			line.Free(&r)
			r = do("html")
			check(r, 200, Malformed, "the answer is a page of HTML or XML, not a JSON document")
			line.Free(&r)
			r = do("huge")
			if r.Reason != Oversized {
				t.Errorf("huge: reason %d %q", r.Reason, r.Message)
			}
			line.Free(&r)
			r = do("abort")
			if r.Reason != Broken || r.Status != 0 {
				t.Errorf("abort: status %d reason %d %q", r.Status, r.Reason, r.Message)
			}
			line.Free(&r)
			// Replies stay as they are until they are freed, whatever others do.
			kept := do("still here?")
			other := do("and here?")
			if !strings.Contains(string(kept.Answer), "still here?") || !strings.Contains(string(other.Answer), "and here?") {
				t.Errorf("answers %q and %q", kept.Answer, other.Answer)
			}
			line.Free(&kept)
			line.Free(&other)
		})
	}
}

// A turn that is not answered ends at its timeout, and the line goes on.
func TestTimeout(t *testing.T) {
	all, _ := wires(t)
	for _, w := range all {
		if w.target.Mode != "sync" {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			w.target.Timeout = unit.Duration(60 * time.Millisecond)
			d := open(t, &w.target, Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			for _, c := range []struct {
				text   string
				reason Reason
			}{{"hi", Complete}, {"hold", TimedOut}, {"hi", Complete}} {
				var r Reply
				line.Do(&Turn{Text: []byte(c.text)}, &r)
				// A stalled test machine may time out what it should not.
				if r.Reason != c.reason && r.Reason != TimedOut {
					t.Errorf("%s: reason %d %q", c.text, r.Reason, r.Message)
				}
				if r.Reason == TimedOut && r.Done-r.Begun < 60*time.Millisecond {
					t.Errorf("timed out after %s", r.Done-r.Begun)
				}
				line.Free(&r)
			}
		})
	}
}

// Interrupt ends what is in flight, and everything after it at once.
func TestInterrupt(t *testing.T) {
	all, _ := wires(t)
	for _, w := range all {
		t.Run(w.name, func(t *testing.T) {
			w.target.Timeout = unit.Duration(time.Minute)
			d := open(t, &w.target, Options{Base: time.Now()})
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					line := d.Open(&User{ID: fmt.Sprint(i)})
					defer line.Close()
					for range 2 {
						var r Reply
						line.Do(&Turn{Text: []byte("hold")}, &r)
						if r.Reason != Interrupted {
							t.Errorf("reason %d %q", r.Reason, r.Message)
						}
						line.Free(&r)
					}
				})
			}
			for d.Connections() == 0 {
				time.Sleep(time.Millisecond) // until a real server was reached
			}
			d.Interrupt()
			wg.Wait()
		})
	}
}
