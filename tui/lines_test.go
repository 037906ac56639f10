package tui

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

func TestLine(t *testing.T) {
	at := func(s float64) Frame {
		frames := sale(time.Duration(s * float64(time.Second)))
		return frames[len(frames)-1]
	}
	storm := at(48.3)
	stopping := at(22)
	stopping.Stopping, stopping.Users = true, 200
	stopping.Generator.Reason = reason.Reasons{reason.Said("out of descriptors")}
	overspent, short := storm, storm
	overspent.Seconds.Bad, overspent.Seconds.Budget = 1, 0
	short.Seconds.Bad, short.Seconds.Budget = 0, 0
	attack := storm
	attack.Stage = "##[error]x\x1b[31m"
	attack.Storms = []measure.Storm{{Name: "\n::set-env name=A::b ##vso[task] ###teamcity[x]", Start: time.Second}}
	for _, c := range []struct {
		name, lang reason.Lang
		frame      Frame
		want       string
	}{
		{"storm", "en", storm, "00:48 peak  starts 150/s  turns 450/s  in flight 63  P50 24.5 ms  P99 68 ms  ok 2 %  degraded 98 %  bad 0 %  budget 1 of 2 s left  STORM storm"},
		{"storm, Chinese", "zh", storm, "00:48 peak  会话到达 150/s  轮次 450/s  在途 63  P50 24.5 ms  P99 68 ms  正常 2 %  降级 98 %  不合格 0 %  预算剩 1/2 秒  风暴 storm"},
		{"overspent", "en", overspent, "00:48 peak  starts 150/s  turns 450/s  in flight 63  P50 24.5 ms  P99 68 ms  ok 2 %  degraded 98 %  bad 0 %  bad seconds 1, allowed 0  STORM storm"},
		{"overspent, Chinese", "zh", overspent, "00:48 peak  会话到达 150/s  轮次 450/s  在途 63  P50 24.5 ms  P99 68 ms  正常 2 %  降级 98 %  不合格 0 %  坏秒 1，允许 0  风暴 storm"},
		{"too short for a budget", "en", short, "00:48 peak  starts 150/s  turns 450/s  in flight 63  P50 24.5 ms  P99 68 ms  ok 2 %  degraded 98 %  bad 0 %  STORM storm"},
		{"starting", "en", at(0), "00:00 starting"},
		{"draining", "en", at(112), "01:52 draining  starts 0/s  turns 0/s  in flight 0  P50 –  P99 –  ok –  degraded –  bad –  budget 1 of 2 s left"},
		{"stopping", "en", stopping, "00:22 steady  users 200  turns 15/s  in flight 2  P50 101 ms  P99 282 ms  ok 100 %  degraded 0 %  bad 0 %  budget 2 of 2 s left  INVALID out of descriptors  STOPPING"},
		{"hostile", "en", attack, "00:48 # #[error]x^[[31m  starts 150/s  turns 450/s  in flight 63  P50 24.5 ms  P99 68 ms  ok 2 %  degraded 98 %  bad 0 %  budget 1 of 2 s left  STORM ^J::set-env name=A::b # #vso[task] # # #te…"},
	} {
		if got := Line(c.frame, c.lang); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

// gate is a writer that waits while it is shut, and tells when it is reached.
type gate struct {
	mu      sync.Mutex
	text    strings.Builder
	open    chan struct{}
	reached chan struct{} // nil: nobody asks
}

func (g *gate) Write(b []byte) (int, error) {
	select {
	case g.reached <- struct{}{}:
	default:
	}
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.Write(b)
}

func (g *gate) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.String()
}

func openGate() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
}

// TestLinesAreOneASecond hands over ten frames a second.
func TestLinesAreOneASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate()
		l := NewLines(g, "en")
		for tenth := range 50 {
			l.Update(Frame{Elapsed: time.Duration(tenth) * 100 * time.Millisecond, Phase: Loading})
			synctest.Wait()
		}
		l.Quit()
		lines := strings.Split(g.String(), "\n")
		if len(lines) != 6 || lines[5] != "" {
			t.Fatalf("%d lines, want 5 and an end: %q", len(lines)-1, lines)
		}
		for i, line := range lines[:5] {
			if want := "00:0" + string(rune('0'+i)) + " load  starts"; !strings.HasPrefix(line, want) {
				t.Errorf("line %d is %q", i, line)
			}
			if strings.ContainsFunc(line, unicode.IsControl) {
				t.Errorf("line %d holds a control character: %q", i, line)
			}
		}
		l.Update(Frame{Elapsed: time.Hour})
	})
}

// TestSlowReaderLosesLinesNotTime: nobody reads; Update returns at once all the
// same and Quit after its grace.
func TestSlowReaderLosesLinesNotTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		l := NewLines(g, "en")
		begun := time.Now()
		for s := range 100 {
			l.Update(Frame{Elapsed: time.Duration(s) * time.Second, Phase: Loading})
			synctest.Wait()
		}
		if d := time.Since(begun); d != 0 {
			t.Errorf("100 updates took %v", d)
		}
		l.Quit()
		if d := time.Since(begun); d != quitGrace {
			t.Errorf("Quit took %v, want its grace of %v", d, quitGrace)
		}
		close(g.open)
		synctest.Wait()
		if n := strings.Count(g.String(), "\n"); n != 2 {
			t.Errorf("%d lines came through, want the one being written and the one held", n)
		}
	})
}

func TestLinesEndWithTheirReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		if err := r.CloseWithError(errors.New("gone")); err != nil {
			t.Fatal(err)
		}
		l := NewLines(w, "en")
		for s := range 10 {
			l.Update(Frame{Elapsed: time.Duration(s) * time.Second})
			synctest.Wait()
		}
		begun := time.Now()
		l.Quit()
		l.Quit()
		if d := time.Since(begun); d != 0 {
			t.Errorf("Quit after a broken pipe took %v", d)
		}
	})
}

func TestLineSaysUsersOfPlanned(t *testing.T) {
	f := Frame{Elapsed: 3 * time.Second, Phase: Loading, Stage: "steady", Users: 180, UsersPlanned: 200}
	if got := Line(f, "en"); !strings.HasPrefix(got, "00:03 steady  users 180/200  turns ") {
		t.Errorf("%q", got)
	}
	f.UsersPlanned, f.Phase = 0, Draining
	if got := Line(f, "en"); !strings.HasPrefix(got, "00:03 draining  users 180  turns ") {
		t.Errorf("%q", got)
	}
}
