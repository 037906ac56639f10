package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/result"
)

// patience bounds every wait for something that must happen: it is for
// machines that do other things as well, no figure of the product.
const patience = 30 * time.Second

// transcript keeps what a process writes. Safe for concurrent use.
type transcript struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// running is a cstest under way.
type running struct {
	cmd         *exec.Cmd
	out, stderr transcript
	done        chan struct{} // closed once it has been waited for
	family      []proc        // itself and its children, once known
}

// launch starts cstest; the end of the test ends it.
func launch(t *testing.T, args ...string) *running {
	t.Helper()
	return underWay(t, command(t, args...))
}

// underWay is a command under way; the end of the test ends it.
func underWay(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{cmd: cmd, done: make(chan struct{})}
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait() // how it ended is in ProcessState
		close(r.done)
	}()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill() // mostly gone already
		<-r.done
	})
	return r
}

// until polls for a condition.
func until(t *testing.T, what string, met func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !met(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// says waits for a text on standard error.
func (r *running) says(t *testing.T, text string) {
	t.Helper()
	until(t, strconv.Quote(text)+" on standard error", func() bool {
		if strings.Contains(r.stderr.String(), text) {
			return true
		}
		select {
		case <-r.done:
			t.Fatalf("it ended (%s) before it said %q\n%s", r.cmd.ProcessState, text, &r.stderr)
		default:
		}
		return false
	})
}

// second waits for the line of a second of the load, and notes the processes.
func (r *running) second(t *testing.T, n, children int) {
	t.Helper()
	r.says(t, "\n00:0"+strconv.Itoa(n)+" ")
	r.family = childrenOf(r.cmd.Process.Pid)
	if len(r.family) != children {
		t.Errorf("%d children, want %d", len(r.family), children)
	}
}

func (r *running) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end and gives the exit code.
func (r *running) ends(t *testing.T) int {
	t.Helper()
	until(t, "the end of cstest", func() bool {
		select {
		case <-r.done:
			return true
		default:
			return false
		}
	})
	return r.cmd.ProcessState.ExitCode()
}

// leavesNobody waits until no child is alive.
func (r *running) leavesNobody(t *testing.T) {
	t.Helper()
	for _, p := range r.family {
		until(t, "the end of "+p.command, func() bool { return !p.alive() })
	}
}

// proc is a process, told from a later one with its number by its start.
type proc struct {
	pid            int
	start, command string
}

// stat is the fields of /proc/PID/stat from the state on; none when it is gone.
func stat(pid int) []string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 20 {
		return nil
	}
	return fields
}

// alive is false for a zombie too: it has ended, and only its parent has not waited
// for it yet.
func (p proc) alive() bool {
	f := stat(p.pid)
	return f != nil && f[19] == p.start && f[0] != "Z"
}

func childrenOf(parent int) []proc {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var list []proc
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if f := stat(pid); f != nil && f[1] == strconv.Itoa(parent) {
			line, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline") // empty when it has just gone
			list = append(list, proc{pid, f[19], strings.ReplaceAll(string(line), "\x00", " ")})
		}
	}
	return list
}

// needProc skips where processes cannot be looked at.
func needProc(t *testing.T) {
	t.Helper()
	if stat(os.Getpid()) == nil {
		t.Skip("no /proc here: the children of a process cannot be listed")
	}
}

// mentions tells whether one of the texts has all the words.
func mentions(texts []string, words ...string) bool {
	for _, text := range texts {
		n := 0
		for _, w := range words {
			if strings.Contains(text, w) {
				n++
			}
		}
		if n == len(words) {
			return true
		}
	}
	return false
}

func TestKilledServerIsAnOutage(t *testing.T) {
	t.Parallel()
	needProc(t)
	dir := filepath.Join(t.TempDir(), "result")
	r := launch(t, "run", write(t, calm), "--results-dir", dir)
	r.second(t, 2, 2)
	killed := false
	for _, p := range r.family {
		if strings.Contains(p.command, "reference-server") {
			killed = syscall.Kill(p.pid, syscall.SIGKILL) == nil
		}
	}
	if !killed {
		t.Fatalf("no reference-server among %v", r.family)
	}
	if code := r.ends(t); code != exitFail {
		t.Fatalf("exit %d\n%s\n%s", code, &r.out, &r.stderr)
	}
	r.leavesNobody(t)
	doc := open(t, dir)
	if doc.Verdict != "fail" || objective(t, doc, "availability") != "fail" || objective(t, doc, "integrity") != "pass" {
		t.Errorf("verdict %s, objectives %+v", doc.Verdict, doc.Objectives)
	}
	if doc.Counts.Conversations != 72 || doc.Counts.OK == 0 || doc.Counts.TransportError == 0 {
		t.Errorf("the run did not go on: %+v", doc.Counts)
	}
	n := len(doc.Availability.Outages)
	if n == 0 {
		t.Fatal("no outage")
	}
	last := doc.Availability.Outages[n-1]
	if last.StartS < 1 || last.StartS > 5 || last.LengthS < 1 || last.Cause != "transport_error" {
		t.Errorf("outage %+v, want one from second 2 or 3 to the end by transport_error", last)
	}
	for _, p := range doc.Processes {
		if ended := p.EndedS != nil; ended != (p.Name == "reference-server") {
			t.Errorf("%s ended: %v", p.Name, ended)
		} else if ended && (*p.EndedS < 1 || p.Exit != "signal: killed") {
			t.Errorf("%s ended after %.1f s: %s", p.Name, *p.EndedS, p.Exit)
		}
	}
	if !mentions(doc.Warnings, "reference-server ended during the run", "signal: killed") {
		t.Errorf("warnings %q", doc.Warnings)
	}
}

func TestOneSignalDrainsAndReports(t *testing.T) {
	t.Parallel()
	needProc(t)
	for _, tt := range []struct {
		sig  syscall.Signal
		code int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}} {
		t.Run(tt.sig.String(), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "result")
			r := launch(t, "run", write(t, calm), "--results-dir", dir, "--set", "load.stages[steady].for=5m")
			r.second(t, 2, 2)
			r.signal(t, tt.sig)
			if code := r.ends(t); code != tt.code {
				t.Fatalf("exit %d, want %d\n%s", code, tt.code, &r.stderr)
			}
			r.leavesNobody(t)
			doc := open(t, dir)
			if doc.Verdict != "incomplete" || doc.ExitCode != tt.code {
				t.Errorf("verdict %s, exit code %d", doc.Verdict, doc.ExitCode)
			}
			// Those begun were let end.
			if c := doc.Conversations; c.Complete < 20 || c.Broken+c.Abandoned > 0 || doc.Counts.Censored > 0 {
				t.Errorf("conversations %+v, %d turns censored", c, doc.Counts.Censored)
			}
			for _, name := range []string{"report.html", "report.md", "junit.xml", "latency.hlog", "series.csv", "scenario.yaml", "journal.cst"} {
				if doc.Files[name] == "" {
					t.Errorf("%s is not in the result", name)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, directory.LockFile)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the lock is still there: %v", err)
			}
			checkAgain(t, dir, tt.code)
		})
	}
}

// checkAgain holds what the journal gives against what the run wrote.
func checkAgain(t *testing.T, dir string, code int) {
	t.Helper()
	live := cstest(t, "report", dir, "--format", "json")
	if err := os.Remove(filepath.Join(dir, result.DocumentFile)); err != nil {
		t.Fatal(err)
	}
	again := cstest(t, "report", dir, "--format", "json")
	if live.code != code || again.code != code || live.stdout != again.stdout {
		t.Errorf("the report from the journal differs (exit %d and %d, want %d)\n%s", live.code, again.code, code, again.stderr)
	}
}

func TestSecondSignalLeavesAtOnce(t *testing.T) {
	t.Parallel()
	needProc(t)
	dir := filepath.Join(t.TempDir(), "result")
	// Its users think for so long that the drain would take its whole 25 s.
	r := launch(t, "run", write(t, calm), "--results-dir", dir,
		"--set", "load.stages[steady].for=5m", "--set", "load.drain=25s", "--set", "conversations[0].think=1m")
	r.second(t, 2, 2)
	r.signal(t, syscall.SIGINT)
	r.says(t, "STOPPING")
	asked := time.Now()
	r.signal(t, syscall.SIGINT)
	if code := r.ends(t); code != 130 {
		t.Fatalf("exit %d\n%s", code, &r.stderr)
	}
	took := time.Since(asked)
	if t.Logf("out %s after the second signal", took); took > 5*time.Second {
		t.Errorf("out %s after the second signal: the drain was waited for", took)
	}
	r.leavesNobody(t)
	if _, err := os.Stat(filepath.Join(dir, result.JournalFile)); err != nil {
		t.Fatal(err)
	}
	again := cstest(t, "report", dir)
	doc := open(t, dir)
	if doc.Verdict != "incomplete" || doc.ExitCode != 130 || again.code != 130 {
		t.Errorf("verdict %s, exit code %d, report exits with %d\n%s", doc.Verdict, doc.ExitCode, again.code, again.stderr)
	}
	if doc.Counts.Turns < 12 {
		t.Errorf("%d turns", doc.Counts.Turns)
	}
}

func TestKilledRunIsRecovered(t *testing.T) {
	t.Parallel()
	needProc(t)
	for _, tt := range []struct {
		processes string
		children  int
	}{{"1", 2}, {"2", 4}} {
		t.Run(tt.processes+" processes", func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "result")
			r := launch(t, "run", write(t, calm), "--results-dir", dir, "--processes", tt.processes, "--set", "load.stages[steady].for=5m")
			r.second(t, 3, tt.children)
			r.signal(t, syscall.SIGKILL)
			r.ends(t)
			r.leavesNobody(t)
			if _, err := os.Stat(filepath.Join(dir, result.DocumentFile)); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("a killed run has a %s: %v", result.DocumentFile, err)
			}
			again := cstest(t, "report", dir)
			doc := open(t, dir)
			if again.code != doc.ExitCode || again.code == 0 || doc.Verdict != "incomplete" {
				t.Errorf("report exits with %d; verdict %s, exit code %d\n%s", again.code, doc.Verdict, doc.ExitCode, again.stderr)
			}
			// Two whole seconds of 12 starts are in the journal when the third is told.
			if doc.Counts.OK < 24 || doc.DurationS < 2 {
				t.Errorf("%d turns ok in %.1f s", doc.Counts.OK, doc.DurationS)
			}
			if !mentions(doc.Warnings, result.JournalFile, "without the end of the run", "is lost") {
				t.Errorf("warnings %q do not say what is lost", doc.Warnings)
			}
			if !strings.Contains(strings.ToLower(again.stdout), "incomplete") {
				t.Errorf("the report does not say incomplete\n%s", again.stdout)
			}
		})
	}
}

func TestOneRunPerDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "result")
	path := write(t, calm)
	first := launch(t, "run", path, "--results-dir", dir, "--set", "load.stages[steady].for=5m")
	first.says(t, "\n00:01 ")
	second := cstest(t, "run", path, "--results-dir", dir, "--quiet")
	want := dir + " is in use by process " + strconv.Itoa(first.cmd.Process.Pid)
	if second.code != exitResults || !strings.Contains(second.stderr, want) || strings.Count(second.stderr, "\n") != 1 || second.stdout != "" {
		t.Errorf("exit %d, want %d and one line with %q\n%s%s", second.code, exitResults, want, second.stdout, second.stderr)
	}
	first.signal(t, syscall.SIGINT)
	if code := first.ends(t); code != exitInterrupt {
		t.Errorf("the first run ended with %d\n%s", code, &first.stderr)
	}
	if doc := open(t, dir); doc.Counts.OK == 0 || doc.Counts.OK != doc.Counts.Turns {
		t.Errorf("the first run was disturbed: %+v", doc.Counts)
	}
}

func TestPortInUseIsOneLine(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	text := strings.Replace(calm, "target: {bundled: {profile: hardened}, timeout: 5s}", "target: {url: 'http://127.0.0.1:9', timeout: 5s}", 1)
	text = strings.Replace(text, "llm: {", "llm: {listen: '"+addr+"', ", 1)
	dir := filepath.Join(t.TempDir(), "result")
	r := cstest(t, "run", write(t, text), "--results-dir", dir, "--quiet")
	if r.code == 0 || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, addr) || !strings.Contains(r.stderr, "address already in use") {
		t.Errorf("exit %d, want one line that names %s\n%s", r.code, addr, r.stderr)
	}
	t.Logf("exit %d: %s", r.code, r.stderr)
}

func TestShardsAddUp(t *testing.T) {
	t.Parallel()
	path, base := write(t, calm), t.TempDir()
	at := time.Now().Add(4 * time.Second).UTC().Format(time.RFC3339Nano)
	var runs []*running
	var dirs []string
	for _, shard := range []string{"0/2", "1/2"} {
		dirs = append(dirs, filepath.Join(base, "shard-"+shard[:1]))
		runs = append(runs, launch(t, "run", path, "--results-dir", dirs[len(dirs)-1], "--shard", shard, "--start-at", at,
			"--set", "load.stages[steady].for=3s"))
	}
	var parts [2]result.Counts
	for i, r := range runs {
		if code := r.ends(t); code != 0 && code != 11 { // half a load may be too little to judge
			t.Fatalf("shard %d: exit %d\n%s", i, code, &r.stderr)
		}
		parts[i] = open(t, dirs[i]).Counts
		if parts[i].Conversations == 0 {
			t.Errorf("shard %d drove nothing", i)
		}
	}
	var sums [2][]byte
	for i, order := range [][]string{{dirs[0], dirs[1]}, {dirs[1], dirs[0]}} {
		to := filepath.Join(base, "sum-"+strconv.Itoa(i))
		if r := cstest(t, append([]string{"merge", "--results-dir", to}, order...)...); r.code != 0 {
			t.Fatalf("merge: exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
		}
		doc := open(t, to)
		if want := plus(parts[0], parts[1]); doc.Counts != want || want.Conversations != 36 || want.Turns != 108 {
			t.Errorf("the sum is %+v, the parts give %+v", doc.Counts, want)
		}
		b, err := os.ReadFile(filepath.Join(to, result.DocumentFile))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = b
	}
	if !bytes.Equal(sums[0], sums[1]) {
		t.Errorf("the order of the shards changes the result:\n%s", firstDifference(sums[0], sums[1]))
	}
}

// plus adds up the counts that a calm run can have.
func plus(a, b result.Counts) result.Counts {
	a.ConversationsPlanned += b.ConversationsPlanned
	a.Conversations += b.Conversations
	a.Turns += b.Turns
	a.OK += b.OK
	a.Degraded += b.Degraded
	a.Timeout += b.Timeout
	a.Excluded += b.Excluded
	a.ContextVerified += b.ContextVerified
	a.ContextNotVerified += b.ContextNotVerified
	return a
}

// firstDifference is the first line that is not the same.
func firstDifference(a, b []byte) string {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return "line " + strconv.Itoa(i+1) + ":\n" + x[i] + "\n" + y[i]
		}
	}
	return "one is longer"
}
