package host

import (
	"fmt"
	"maps"
	"math"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// self is the process of these tests, 1 the system's first, as in every /proc here.
const self = 100

// machine is a /proc of two processors in the making.
type machine struct {
	pressure time.Duration
	user     time.Duration // of all processes together
	idle     time.Duration
	steal    time.Duration
	procs    map[int]process
}

func (m *machine) write(t *testing.T, root string) {
	t.Helper()
	put := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("pressure/cpu", fmt.Sprintf("some avg10=1.00 avg60=1.00 avg300=1.00 total=%d\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", m.pressure.Microseconds()))
	put("stat", fmt.Sprintf("cpu  %d 0 0 %d 0 0 0 %d 0 0\ncpu0 1 0 0 0 0 0 0 0 0 0\ncpu1 1 0 0 0 0 0 0 0 0 0\nintr 5\n", m.user/tick, m.idle/tick, m.steal/tick))
	for pid, p := range m.procs {
		put(fmt.Sprintf("%d/stat", pid), fmt.Sprintf("%d (%s) S %d 1 1 0 -1 4194304 100 0 0 0 %d 0 7 7 20 0 1 0 %d 1000000 100\n", pid, p.name, p.parent, p.cpu/tick, p.born))
	}
}

func TestParse(t *testing.T) {
	p, ok := parseProcess([]byte("42 (a) b (c) R 7 1 1 0 -1 4194304 100 0 0 0 150 50 7 7 20 0 1 0 12345 1000000 100"))
	if want := (process{name: "a) b (c", parent: 7, born: 12345, cpu: 2 * time.Second}); !ok || p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
	for _, bad := range []string{"", "42", "42 (a", "42 (a) R", ")(", "42 (a) R x 1 1 0 -1 4194304 100 0 0 0 150 50 7 7 20 0 1 0 12345", "42 (a) R 7 1 1 0 -1 4194304 100 0 0 0 -150 50 7 7 20 0 1 0 12345"} {
		if p, ok := parseProcess([]byte(bad)); ok {
			t.Errorf("%q is %+v", bad, p)
		}
	}
	for text, want := range map[string]time.Duration{
		"some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull x": 1500 * time.Millisecond,
		"": -1, "full total=1": -1, "some avg10=1": -1, "some total=x": -1, "some total=-1": -1,
	} {
		if got, ok := parsePressure([]byte(text)); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is %v, %t", text, got, ok)
		}
	}
	for text, want := range map[string]bool{
		"cpu 1 2 3 4 5 6 7 8 9 10\ncpu0 1\n": true,
		"cpu 1 2 3 4 5 6 7 8 9 10\n":         false, // no processor
		"":                                   false, "cpu 1 2\ncpu0 1": false, "intr 1 2 3 4 5 6 7 8 9\ncpu0 1": false, "cpu a 2 3 4 5 6 7 8\ncpu0 1": false, "cpu -1 2 3 4 5 6 7 8\ncpu0": false,
	} {
		var r reading
		if ok := r.parseStat([]byte(text)); ok != want {
			t.Errorf("%q: %t", text, ok)
		}
		if want && (r.processes != 60*time.Millisecond || r.steal != 80*time.Millisecond || r.all != 360*time.Millisecond || r.busy != 270*time.Millisecond || r.cores != 1) {
			t.Errorf("%q is %+v", text, r)
		}
	}
}

// Who has a part in the run: this process and those it started. The target may be one
// of the others where it was not started here.
func TestOthers(t *testing.T) {
	at := time.Unix(1000, 0)
	reading := func(after time.Duration, total time.Duration, procs map[int]process) *reading {
		all := map[int]process{1: {name: "init"}, self: {name: "cstest", parent: 1, born: 50}}
		maps.Copy(all, procs)
		return &reading{ok: true, at: at.Add(after), processes: total, cores: 2, procs: all}
	}
	ms := time.Millisecond
	early := reading(0, 0, map[int]process{
		self: {name: "cstest", parent: 1, born: 50}, 7: {name: "indexer", parent: 1, born: 5}, 8: {name: "node", parent: 1, born: 6},
	})
	first := reading(500*ms, 600*ms, map[int]process{
		self: {name: "cstest", parent: 1, born: 50, cpu: 100 * ms},
		7:    {name: "indexer", parent: 1, born: 5, cpu: 400 * ms}, // busy before the load: 0.8 of a processor
		8:    {name: "node", parent: 1, born: 6, cpu: 0},           // idle: the target, or what it asks
	})
	now := reading(1500*ms, 2600*ms, map[int]process{
		self: {name: "cstest", parent: 1, born: 50, cpu: 300 * ms},
		101:  {name: "mockllm", parent: self, born: 70, cpu: 200 * ms}, // ours
		102:  {name: "x", parent: 101, born: 71, cpu: 50 * ms},         // too
		7:    {name: "indexer", parent: 1, born: 5, cpu: 1350 * ms},    // no busier than before counts: 800 of 950
		8:    {name: "node", parent: 1, born: 6, cpu: 300 * ms},
		9:    {name: "node", parent: 8, born: 72, cpu: 100 * ms}, // a worker, or the target started anew
		10:   {name: "stress", parent: 1, born: 73, cpu: 150 * ms},
	})
	got, byName := rest(first, now, self)
	if want := 2000*ms - 450*ms; got != want || byName["indexer"] != 950*ms || byName["node"] != 400*ms || byName["cstest"] != 0 {
		t.Errorf("all others used %v, want %v: %v", got, want, byName)
	}
	got, byName = strange(early, first, first, now, self, nil)
	if want := 800*ms + 150*ms; got != want || byName["indexer"] != 800*ms || byName["node"] != 0 || byName["stress"] != 150*ms {
		t.Errorf("strangers used %v, want %v: %v", got, want, byName)
	}
	// The target is no stranger, however busy it was while it started.
	got, byName = strange(early, first, first, now, self, map[int]bool{7: true})
	if got != 150*ms || byName["indexer"] != 0 {
		t.Errorf("strangers beside a target that was busy used %v: %v", got, byName)
	}
	// A number that went to another process is another process.
	again := reading(2500*ms, 2700*ms, map[int]process{7: {name: "indexer", parent: 1, born: 99, cpu: 100 * ms}})
	if got := used(now, again, 7); got != 100*ms {
		t.Errorf("a process under an old number used %v", got)
	}
	// The /proc of others says nothing of us.
	delete(now.procs, self)
	if got, _ := rest(first, now, self); got != 0 {
		t.Errorf("without ourselves: %v", got)
	}
	if got, _ := strange(early, first, first, now, self, nil); got != 0 {
		t.Errorf("without ourselves: %v", got)
	}
}

func TestWatch(t *testing.T) {
	root := t.TempDir()
	t.Setenv("HOST_PROC", root)
	m := &machine{procs: map[int]process{1: {name: "init"}, os.Getpid(): {name: "cstest", parent: 1, born: 5}, 7: {name: "burn (1)", parent: 1, born: 6}}}
	m.write(t, root)
	w := New(false, 0)
	w.Begin()
	step := func(pressure, own, burnt, idle, steal time.Duration) {
		m.pressure += pressure
		m.user += own + burnt
		m.idle += idle
		m.steal += steal
		p, b := m.procs[os.Getpid()], m.procs[7]
		p.cpu, b.cpu = p.cpu+own, b.cpu+burnt
		m.procs[os.Getpid()], m.procs[7] = p, b
		m.write(t, root)
	}
	ms := time.Millisecond
	w.before.at = time.Now().Add(-time.Second)
	step(600*ms, 400*ms, 1500*ms, 100*ms, 0)
	w.Look(time.Second)
	w.before.at = time.Now().Add(-time.Second)
	step(0, 200*ms, 0, 1600*ms, 200*ms)
	w.Look(2*time.Second + 3*ms)
	w.Look(2*time.Second + 9*ms) // the end of the load, just behind
	told := w.Told()
	if told == nil || told.Cores != 2 || len(told.Seconds) != 2 {
		t.Fatalf("%+v", told)
	}
	near := func(a, b float64) bool { return math.Abs(a-b) < 0.1 }
	one, two := told.Seconds[0], told.Seconds[1]
	if one.Second != 0 || !near(one.Pressure, 0.6) || !near(one.Busy, 0.95) || one.Steal != 0 || !near(one.Others, 1.5) {
		t.Errorf("second 0: %+v", one)
	}
	if two.Second != 1 || two.Pressure != 0 || !near(two.Busy, 0.2) || !near(two.Steal, 0.1) || two.Others != 0 {
		t.Errorf("second 1: %+v", two)
	}
	if len(told.Others) != 1 || told.Others[0].Name != "burn (1)" || told.Others[0].CPU != 1500*ms {
		t.Errorf("others: %+v", told.Others)
	}
}

// Where the kernel does not tell, nothing is told, and nothing breaks.
func TestNothingToRead(t *testing.T) {
	whole := &machine{procs: map[int]process{1: {name: "init"}, os.Getpid(): {name: "cstest", parent: 1}}}
	for _, missing := range []string{".", "pressure", "stat"} {
		root := t.TempDir()
		whole.write(t, root)
		if err := os.RemoveAll(filepath.Join(root, missing)); err != nil {
			t.Fatal(err)
		}
		t.Setenv("HOST_PROC", root)
		w := New(true, 80)
		w.Begin()
		w.Look(time.Second)
		if told := w.Told(); told != nil {
			t.Errorf("without %s: %+v", missing, told)
		}
	}
}

// It tells of this very machine, where that has pressure figures.
func TestThisMachine(t *testing.T) {
	if _, err := os.Stat("/proc/pressure/cpu"); err != nil {
		t.Skip(err)
	}
	t.Setenv("HOST_PROC", "")
	w := New(false, 0)
	w.Begin()
	for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end); {
		_ = math.Sqrt(float64(end.UnixNano()))
	}
	w.Look(time.Second)
	told := w.Told()
	if told == nil || len(told.Seconds) != 1 || told.Cores < 1 {
		t.Fatalf("%+v", told)
	}
	if s := told.Seconds[0]; s.Busy <= 0 || s.Busy > 1 || s.Pressure < 0 || s.Pressure > 1 || s.Others < 0 || s.Others > float64(told.Cores)+0.5 {
		t.Errorf("%+v", s)
	}
}

func TestWhoListens(t *testing.T) {
	for line, want := range map[string]string{
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0":        "4242",
		"   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0":        "",
		"   0: 0100007F:1F90 0100007F:1F92 01 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0":        "",
		"   1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 77 1 0 100 0 0 10 0": "77",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode":                        "",
		"": "", "a b c 0A": "",
	} {
		inode, ok := listensAt(line, 8080)
		if ok != (want != "") || ok && inode != want {
			t.Errorf("%q: %q, %t; want %q", line, inode, ok, want)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip(err)
	}
	procs := map[int]process{1: {}, os.Getpid(): {}}
	if found := listeners("/proc", l.Addr().(*net.TCPAddr).Port, procs); len(found) != 1 || !found[os.Getpid()] {
		t.Errorf("%v listen, want this process", found)
	}
}
