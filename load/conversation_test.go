package load

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// bazaar is an open scenario in which everything is drawn: arrivals,
// conversations, rows, pauses.
func bazaar() *scenario.Scenario {
	sc := open(40, 10*time.Second)
	sc.Load.Arrivals = "poisson"
	sc.Load.Stages = append(sc.Load.Stages, stageOf(5*time.Second, 10, 80))
	sc.Checks.Memory = "on"
	sc.Load.Think = &scenario.Think{Median: unit.Duration(time.Second), P95: unit.Duration(3 * time.Second)}
	sc.Conversations = []scenario.Conversation{
		{Name: "return", Weight: 3, Turns: say("我要退货,订单号 ${orders.no}", "价格 $5,${user.id} $$", "谢谢")},
		{
			Name: "coupon", Weight: 1, Turns: say("优惠券 ${codes.code}", "还能用吗?"),
			Think: &scenario.Think{Min: unit.Duration(100 * time.Millisecond), Max: unit.Duration(time.Second)},
		},
	}
	orders := scenario.Data{Columns: []string{"no"}, Pick: scenario.PickUnique}
	for i := range 2000 {
		orders.Table = append(orders.Table, []string{fmt.Sprintf("88%04d", i)})
	}
	sc.Data = map[string]scenario.Data{
		"orders": orders,
		"codes":  {Columns: []string{"code"}, Pick: scenario.PickRandom, Table: [][]string{{"A1"}, {"B2"}, {"C3"}}},
	}
	return sc
}

// transcript is what a load sent, in an order that does not depend on chance.
func transcript(t *testing.T, seed uint64, shard, shards int) []sent {
	var all []sent
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.answer = echoing(50 * time.Millisecond)
		b, _ := drive(t, always(), bazaar(), f, func(o *Options) { o.Seed, o.Shard, o.Shards = seed, shard, shards })
		if n := len(b.turns); n == 0 || b.outcomes()[measure.OK] != n {
			t.Errorf("%d of %d turns ok: %v", b.outcomes()[measure.OK], n, b.failures)
		}
		all = f.sent
	})
	sortSent(all)
	return all
}

func sortSent(all []sent) {
	slices.SortFunc(all, func(a, b sent) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.user, b.user), cmp.Compare(a.turn, b.turn))
	})
}

func TestOneSeedSendsTheSameTurnsAtTheSameTimes(t *testing.T) {
	first := transcript(t, 11, 0, 1)
	if !slices.Equal(first, transcript(t, 11, 0, 1)) {
		t.Error("two runs with one seed differ")
	}
	if slices.Equal(first, transcript(t, 12, 0, 1)) {
		t.Error("two seeds send the same")
	}
	var union []sent
	for i := range 3 {
		union = append(union, transcript(t, 11, i, 3)...)
	}
	sortSent(union)
	if !slices.Equal(first, union) {
		t.Errorf("three shards sent %d turns together, one machine %d, or not the same", len(union), len(first))
	}
	// What was drawn is drawn as it was written.
	kinds, codes, rows := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, s := range first {
		if s.turn > 0 {
			if s.dialog == "" {
				t.Fatalf("turn %d of %s was sent without the dialog's id", s.turn+1, s.user)
			}
			if s.turn == 1 && strings.HasPrefix(s.text, "价格") && !strings.HasPrefix(s.text, "价格 $5,"+s.user+" $⟦c:") {
				t.Fatalf("text %q", s.text)
			}
			continue
		}
		text, _, _ := strings.Cut(s.text, "⟦c:")
		kind, value, _ := strings.Cut(text, " ")
		kinds[kind]++
		if kind == "优惠券" {
			codes[value]++
		} else if rows[value] {
			t.Errorf("row %s was used twice", value)
		}
		rows[value] = true
	}
	n := kinds["优惠券"] + kinds["我要退货,订单号"]
	if share := float64(kinds["优惠券"]) / float64(n); share < 0.2 || share > 0.3 {
		t.Errorf("conversations %v; want one in four of weight 1", kinds)
	}
	if got := slices.Sorted(maps.Keys(codes)); !slices.Equal(got, []string{"A1", "B2", "C3"}) {
		t.Errorf("random rows %v", codes)
	}
}

func TestTracesAndCanariesTellConversationsApart(t *testing.T) {
	traces, canaries := map[string]bool{}, map[string]string{}
	for _, s := range transcript(t, 11, 0, 1) {
		if traces[s.trace] {
			t.Fatalf("trace %s was used twice", s.trace)
		}
		traces[s.trace] = true
		i := strings.Index(s.text, "⟦c:")
		canary, turn := s.text[i+len("⟦c:"):i+len("⟦c:")+8], s.text[i+len("⟦c:")+8:]
		if turn != fmt.Sprintf(".%d⟧", s.turn+1) {
			t.Fatalf("turn %d is marked %q", s.turn+1, turn)
		}
		if who, ok := canaries[canary]; ok && who != s.user {
			t.Fatalf("canary %s is %s's and %s's", canary, who, s.user)
		}
		canaries[canary] = s.user
	}
}

func TestThinkTimesHaveTheirQuantiles(t *testing.T) {
	logNormal := newThink(&scenario.Think{Median: unit.Duration(4 * time.Second), P95: unit.Duration(12 * time.Second)})
	uniform := newThink(nil, &scenario.Think{Min: unit.Duration(time.Second), Max: unit.Duration(3 * time.Second)})
	constant := newThink(&scenario.Think{Constant: unit.Duration(2 * time.Second)}, &scenario.Think{Constant: 1})
	const n = 20000
	var a, b []float64
	for k := range int64(n) {
		a = append(a, logNormal.pause(draw(5, k, forThink)).Seconds())
		b = append(b, uniform.pause(draw(5, k, forThink)).Seconds())
		if got := constant.pause(draw(5, k, forThink)); got != 2*time.Second {
			t.Fatalf("constant pause %v", got)
		}
	}
	slices.Sort(a)
	slices.Sort(b)
	for _, q := range []struct {
		name      string
		got, want float64
	}{
		{"median", a[n/2], 4},
		{"p95", a[n*95/100], 12},
		{"p5", a[n*5/100], 4.0 / 3},
		{"uniform median", b[n/2], 2},
		{"uniform p95", b[n*95/100], 2.9},
	} {
		if math.Abs(q.got/q.want-1) > 0.04 {
			t.Errorf("%s %.3f s, want %.3f", q.name, q.got, q.want)
		}
	}
	if b[0] < 1 || b[n-1] > 3 {
		t.Errorf("uniform pauses from %v to %v, want inside 1 … 3", b[0], b[n-1])
	}
	if newThink(nil, nil).pause(1) != 0 {
		t.Error("no think time is a pause")
	}
}

// failing answers 500 to turn 2 of the first conversation so many times.
func failing(times int) replying {
	return func(_ time.Duration, _ *driver.User, turn *driver.Turn, reply *driver.Reply) time.Duration {
		if turn.Index == 1 && times > 0 {
			times--
			reply.Status, reply.Code, reply.DialogID, reply.Answer = 500, []byte("internal"), nil, nil
		}
		return 10 * time.Millisecond
	}
}

func TestOnError(t *testing.T) {
	for _, tt := range []struct {
		onError scenario.OnError
		times   int
		turns   int // sent
		end     measure.ConversationEnd
	}{
		{"continue", 1, 3, measure.Broken},
		{"abort", 1, 2, measure.Broken},
		{"retry", 1, 4, measure.Broken},
		{"retry", 2, 5, measure.Broken},
		{"retry", 9, 5, measure.Broken}, // twice again, then the next message
		{"retry", 0, 3, measure.Complete},
	} {
		t.Run(fmt.Sprint(tt.onError, tt.times), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sc := open(1, time.Second, say("一", "二", "三")...)
				sc.Conversations[0].OnError = tt.onError
				sc.Load.Think = &scenario.Think{Constant: unit.Duration(time.Second)}
				f := newFake()
				f.answer = failing(tt.times)
				b, _ := drive(t, always(), sc, f, nil)
				if len(f.sent) != tt.turns || b.ends[tt.end] != 1 {
					t.Errorf("%d turns, ends %v; want %d, %v", len(f.sent), b.ends, tt.turns, tt.end)
				}
				if tt.times == 0 {
					return
				}
				if first := b.failures[0]; first.Message != "HTTP 500 internal" || first.Turn != 2 || first.Conversation != "c" || first.TraceID != f.sent[1].trace {
					t.Errorf("failure %+v", first)
				}
				for i, turn := range b.turns {
					// What is sent again was judged when it was sent first.
					if want := tt.onError == "retry" && i > 1 && i <= 1+min(tt.times, maxRetries); turn.Again != want {
						t.Errorf("turn %d sent again: %v, want %v", i, turn.Again, want)
					}
				}
				if tt.onError == "retry" && (f.sent[2].text != "二" || f.sent[2].trace != f.sent[1].trace || f.sent[2].at-f.sent[1].at != 1010*time.Millisecond) {
					t.Errorf("retried with %+v after %+v; want the same message a pause later", f.sent[2], f.sent[1])
				}
				for _, s := range f.sent[1:] {
					if s.dialog == "" || s.dialog != f.sent[1].dialog {
						t.Errorf("dialog %q, then %q: a failure does not change it", f.sent[1].dialog, s.dialog)
					}
				}
			})
		})
	}
}

func TestOurOwnFaultIsADroppedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exhausted := func(_ time.Duration, _ *driver.User, turn *driver.Turn, reply *driver.Reply) time.Duration {
			if turn.TraceID[15]%2 == 0 {
				*reply = driver.Reply{Reason: driver.Exhausted, ContextTurns: -1}
			}
			return 0
		}
		f := newFake()
		f.answer = exhausted
		b, s := drive(t, always(), open(100, time.Second), f, nil)
		dropped := b.dropped[measure.DroppedGenerator]
		if dropped < 30 || dropped > 70 || dropped+len(b.started) != 100 || len(b.turns) != len(b.started) || s.Planned != 100 {
			t.Errorf("%d dropped, %d started, %d turns; want about half each of 100", dropped, len(b.started), len(b.turns))
		}
		if len(b.failures) != dropped || b.failures[0].Outcome != measure.DroppedGenerator || b.failures[0].Message != "out of descriptors or ports" {
			t.Errorf("%d failures told, the first %+v", len(b.failures), b.failures[0])
		}
		// A user of the closed model does not spin on it.
		f = newFake()
		f.answer = func(_ time.Duration, _ *driver.User, _ *driver.Turn, reply *driver.Reply) time.Duration {
			*reply = driver.Reply{Reason: driver.Exhausted, ContextTurns: -1}
			return 0
		}
		b, _ = drive(t, always(), closed(1, 10*time.Second), f, nil)
		if got := b.dropped[measure.DroppedGenerator]; got < 60 || got > 200 || len(b.turns) != 0 {
			t.Errorf("%d starts dropped in 10 s, %d turns; want one each 50 to 150 ms, none", got, len(b.turns))
		}
	})
}

func TestGuardCapsTurnsPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := open(100, 10*time.Second, say("一", "二")...)
		sc.Guard.MaxTurns = 50
		f := newFake()
		f.answer = takes(10 * time.Millisecond)
		b, _ := drive(t, always(), sc, f, nil)
		slices.SortFunc(f.sent, func(a, b sent) int { return cmp.Compare(a.at, b.at) })
		// One second's worth of burst, then 50 a second.
		for i, s := range f.sent {
			if most := 50*s.at.Seconds() + 51; float64(i) > most {
				t.Fatalf("turn %d was sent at %v: more than 50/s and a second's burst", i+1, s.at)
			}
		}
		if got := b.dropped[measure.DroppedGenerator]; got < 500 || b.dropped[measure.DroppedTarget] != 0 {
			t.Errorf("%d starts dropped; want the cap to be ours, and to cost more than half", got)
		}
	})
}

func TestClientKeepsTheHistoryForOpenAI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := open(1, time.Second, say("一", "二", "三")...)
		sc.Target.API = "openai"
		sc.Checks.Memory = "on"
		var got []string
		f := newFake()
		echo := echoing(time.Millisecond)
		f.answer = func(at time.Duration, u *driver.User, turn *driver.Turn, reply *driver.Reply) time.Duration {
			var all []string
			for _, m := range turn.History {
				text, _, _ := strings.Cut(string(m.Text), "⟦c:")
				all = append(all, fmt.Sprint(m.Assistant, text))
			}
			got = append(got, strings.Join(all, " "))
			latency := echo(at, u, turn, reply)
			reply.ContextTurns = -1
			return latency
		}
		b, _ := drive(t, always(), sc, f, nil)
		want := []string{"", "false一 true好的", "false一 true好的 false二 true好的"}
		if !slices.Equal(got, want) || b.outcomes()[measure.OK] != 3 {
			t.Errorf("histories %q, want %q; outcomes %v", got, want, b.outcomes())
		}
	})
}

func TestUsersBringTheirData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := closed(3, 2*time.Second)
		sc.Target.Auth = &scenario.Auth{Bearer: "${users.token}"}
		sc.Target.Connections = "per-conversation"
		sc.Load.Pacing = unit.Duration(500 * time.Millisecond)
		sc.Data = map[string]scenario.Data{"users": {Columns: []string{"token"}, Pick: "unique", Table: [][]string{{"t0"}, {"t1"}, {"t2"}}}}
		f := newFake()
		var lines []string
		f.answer = func(_ time.Duration, u *driver.User, _ *driver.Turn, _ *driver.Reply) time.Duration {
			f.mu.Lock()
			lines = append(lines, fmt.Sprint(u.ID, u.Index, u.Vars["users.token"]))
			f.mu.Unlock()
			return time.Millisecond
		}
		drive(t, always(), sc, f, nil)
		slices.Sort(lines)
		if want := "u00t0 u11t1 u22t2"; strings.Join(slices.Compact(lines), " ") != want {
			t.Errorf("users %v, want %s: one row each, kept from conversation to conversation", slices.Compact(lines), want)
		}
	})
}
