package learn

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/reference-server/pii"
	"github.com/cstest/cstest/scenario"
)

// near tells whether got is within 5 % of want.
func near(got, want float64) bool { return math.Abs(got-want) <= 0.05*want }

// What was put into a log is found again: turns, think times, the day's curve.
func TestLearnFindsTheKnownModel(t *testing.T) {
	k := knownModel(20_000)
	var log bytes.Buffer
	k.write(&log)
	log.WriteString("not json\n{\"session_id\":\"x\",\"ts\":\"yesterday\",\"role\":\"user\",\"text\":\"hi\"}\n{\"session_id\":\"x\",\"ts\":\"2026-11-11T00:00:00Z\",\"role\":\"user\",\"text\":\"\"}\n")
	read, err := Read(&log, Columns{})
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Dialogs) != k.n || len(read.Dirty) != 3 || read.Dirty[0].First != read.Rows-2 || read.Dirty[1].Why.String() != "without a time that can be read" {
		t.Errorf("%d dialogs, dirty %+v of %d rows", len(read.Dialogs), read.Dirty, read.Rows)
	}
	m := Learn(read)
	if !near(m.Think.Median(), k.median) || !near(m.Think.Sigma, k.sigma) || m.Think.Far > 0.02 {
		t.Errorf("think median %.3f, sigma %.3f, distance %.3f; want %.3f, %.3f", m.Think.Median(), m.Think.Sigma, m.Think.Far, k.median, k.sigma)
	}
	for n, share := range k.turns {
		if n > 0 && !near(float64(m.Turns[n])/float64(k.n), share) {
			t.Errorf("%d turns: %d dialogs, want %.0f", n, m.Turns[n], share*float64(k.n))
		}
	}
	// A quiet hour has 80 starts here, of which 5 % is half a standard deviation:
	// chance is allowed for there.
	for h, share := range k.hours {
		want := share * float64(k.n)
		if got := m.Arrivals.Starts[2*h] + m.Arrivals.Starts[2*h+1]; math.Abs(got-want) > max(0.05*want, 3.5*math.Sqrt(want)) {
			t.Errorf("hour %d: %.0f starts, want %.0f", h, got, want)
		}
	}
	if len(m.Intents) != len(openings) {
		t.Errorf("%d intents, want %d: %q", len(m.Intents), len(openings), m.Leaders)
	}
	if f := m.Fidelity(); f.Score() < 0.9 || f.Turns < 0.99 {
		t.Errorf("fidelity %+v", f)
	}
}

// The scenario is valid, has the log's mean and nothing of anybody.
func TestScenarioIsValidAndPrivate(t *testing.T) {
	k := knownModel(3000)
	var log bytes.Buffer
	k.write(&log)
	read, err := Read(&log, Columns{})
	if err != nil {
		t.Fatal(err)
	}
	m := Learn(read)
	text := m.Scenario(Options{Name: "learned", Scale: 30, Length: 8 * time.Minute})
	sc, err := scenario.Parse("learned.yaml", text, scenario.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got := sc.MeanTurns(); !near(got, m.MeanTurns()) {
		t.Errorf("the scenario has %.3f turns on average, the log %.3f", got, m.MeanTurns())
	}
	if got := sc.TotalDuration(); got < 7*time.Minute || got > 10*time.Minute {
		t.Errorf("takes %s, want about 8 min", got)
	}
	var report bytes.Buffer
	if err := m.Report(&report, reason.English); err != nil {
		t.Fatal(err)
	}
	if len(k.planted) < 100 {
		t.Fatalf("%d planted", len(k.planted))
	}
	for _, p := range k.planted {
		if bytes.Contains(text, []byte(p)) || bytes.Contains(report.Bytes(), []byte(p)) {
			t.Errorf("%s is still there", p)
		}
	}
	if !bytes.Contains(text, []byte("17000000001")) {
		t.Error("no look-alike took a place")
	}
	for _, want := range []string{"3000 conversations", "fidelity   0.", "log-normal, median"} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("the report says no %q:\n%s", want, report.String())
		}
	}
}

func TestReadCSVWithColumns(t *testing.T) {
	columns, err := ParseColumns("conversation=sid,time=when,role=who,text=msg,user=guest")
	if err != nil {
		t.Fatal(err)
	}
	log, err := Read(strings.NewReader("\xef\xbb\xbfsid,when,who,msg\n1,2026-11-11 10:00:00,guest,\"你好,在吗\"\n1,2026-11-11 10:00:01,bot,在\n1,1794391210,guest,几天到\n2,x,guest,hi\n3,2026-11-11 10:00:00,bot,hi\n4,too,few\n"), columns)
	if err != nil {
		t.Fatal(err)
	}
	if len(log.Dialogs) != 1 || strings.Join(log.Dialogs[0].Says(), "|") != "你好,在吗|几天到" || !log.Answers {
		t.Errorf("%d dialogs: %q", len(log.Dialogs), log.Dialogs[0].Says())
	}
	if len(log.Dirty) != 2 || log.Dirty[0] != (Dirty{reason.Say("without a time that can be read"), 1, 4}) || log.Dirty[1] != (Dirty{reason.Say("another number of fields than the header"), 1, 6}) {
		t.Errorf("dirty %+v", log.Dirty)
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "empty",
		"a,b\n1,2\n":               "which column is the conversation",
		"{\"session_id\":\"1\"}\n": "which column is the time",
		"session,time,role,text\n1,2026-11-11 10:00:00,bot,hi\n": "--map user=",
	} {
		if _, err := Read(strings.NewReader(text), Columns{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"time", "time=", "colour=red"} {
		if _, err := ParseColumns(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if _, err := Read(strings.NewReader("session,time,text\n1,2026-11-11 10:00:00,hi\n"), Columns{Text: "msg"}); err == nil || !strings.Contains(err.Error(), `no "msg"`) {
		t.Errorf("a column that is not there: %v", err)
	}
}

// Whatever form a datum is written in, it gets one look-alike, and no look-alike
// is somebody's.
func TestDisguise(t *testing.T) {
	d := newDisguise()
	for _, text := range []string{"电话13812345678", "电话 17000000001"} {
		d.look(text)
	}
	one, ok1 := d.text("电话13812345678")
	two, ok2 := d.text("我的电话 138 1234 5678 记一下")
	if !ok1 || !ok2 || one != "电话17000000002" || !strings.Contains(two, "17000000002") {
		t.Errorf("%q %v, %q %v", one, ok1, two, ok2)
	}
	if d.leaked("请拨13812345678") != 1 || d.leaked(one) != 0 {
		t.Error("what leaks is not seen")
	}
	for kind := range pii.NumKinds {
		seen := map[string]bool{}
		for n := 1; n <= 500; n++ {
			seen[madeUp(kind, n)] = true
		}
		if len(seen) < 500 {
			t.Errorf("%s: %d look-alikes of 500 differ", kind, len(seen))
		}
	}
}

// go test ./learn -run xxx -bench . -benchtime 1x: a log of 100,000 conversations.
func BenchmarkLearn(b *testing.B) {
	k := knownModel(100_000)
	path := filepath.Join(b.TempDir(), "log.jsonl")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	k.write(f)
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		log, err := Read(f, Columns{})
		if err != nil {
			b.Fatal(err)
		}
		m := Learn(log)
		if len(m.Scenario(Options{Name: "x", Scale: 1, Length: time.Hour})) == 0 || f.Close() != nil {
			b.Fatal("nothing learned")
		}
		b.ReportMetric(100*math.Abs(m.Think.Median()/k.median-1), "median-off-%")
		b.ReportMetric(100*math.Abs(m.Think.Sigma/k.sigma-1), "sigma-off-%")
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	b.ReportMetric(float64(mem.Sys)/1e6, "MB")
}
