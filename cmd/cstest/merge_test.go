package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial"
)

// left is what a run of some load left: a journal and nothing else.
type left struct {
	shard string // as 0/3; empty: the whole
	seed  string // 5 when empty
	rate  string // 400/s when empty
	late  time.Duration
	lost  int // one start in so many never came up; 0: none
}

// leave writes the journal of a run in which every turn was answered in 100 ms.
func (l left) leave(t *testing.T) (dir string) {
	t.Helper()
	text := direct("http://127.0.0.1:9", "", "{arrivals: constant, stages: [{name: steady, for: 3s, starts: 400/s}]}")
	if l.seed != "" {
		text = strings.Replace(text, "seed: 5", "seed: "+l.seed, 1)
	}
	if l.rate != "" {
		text = strings.Replace(text, "400/s", l.rate, 1)
	}
	sc, err := scenario.Parse("scenario.yaml", []byte(text), scenario.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := result.About{Scenario: text, Dir: ".", RunID: "direct-" + l.shard, Version: "test", Overrides: []string{"insecure=true"}, Scale: 1}
	i, n := 0, 1
	if l.shard != "" {
		part, err := result.ParseShard(l.shard)
		if err != nil {
			t.Fatal(err)
		}
		a.Overrides = append(a.Overrides, part.Override())
		i, n = part.I, part.N
	}
	plan := trial.Plan(sc)
	rec := measure.NewRecorder(plan, 1)
	schedule := load.NewSchedule(&sc.Load, sc.Seed).Shard(i, n)
	for k, at := range schedule.Starts() {
		if l.lost > 0 && int(k)/n%l.lost == 0 {
			continue
		}
		rec.Lane(0).Started(at)
		rec.Lane(0).Record(&measure.Turn{Intended: at, Sent: at, Done: at + 100*time.Millisecond, Memory: measure.Verified})
		rec.Lane(0).Ended(measure.Complete, nil)
	}
	interval, err := rec.Cut(3100 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	j, err := measure.CreateJournal(filepath.Join(dir, result.JournalFile), measure.Header{}, plan)
	if err != nil {
		t.Fatal(err)
	}
	facts := &measure.Facts{ExternalTarget: true, Generator: measure.Generator{Cores: 2, Planned: schedule.Len()}}
	started := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC).Add(l.late)
	for _, err := range []error{
		j.AppendNote(result.NoteAbout, a), j.AppendNote(result.NoteStarted, started.Format(time.RFC3339Nano)),
		j.AppendInterval(interval), j.AppendFacts(facts), j.AppendNote(result.NoteSignal, 0), j.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMergeTakesAllShardsOfOneLoad(t *testing.T) {
	t.Parallel()
	dirs := []string{left{shard: "2/3", late: 999 * time.Millisecond}.leave(t), left{shard: "0/3", late: 500 * time.Millisecond}.leave(t), left{shard: "1/3"}.leave(t)}
	to := filepath.Join(t.TempDir(), "sum")
	r := cstest(t, append([]string{"merge", "--results-dir", to}, dirs...)...)
	if r.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	doc := open(t, to)
	if doc.Verdict != "pass" || doc.Counts.Conversations != 1200 || doc.Counts.Turns != 1200 || len(doc.Warnings) != 0 {
		t.Errorf("%s, %d conversations, %d turns, warnings %q; want pass, 1200, 1200, none", doc.Verdict, doc.Counts.Conversations, doc.Counts.Turns, doc.Warnings)
	}
	if !slices.Equal(doc.Overrides, []string{"insecure=true"}) || doc.StartedAt != "2026-11-11T00:00:00Z" {
		t.Errorf("overrides %q, started %s: want those of all shards, and the first start", doc.Overrides, doc.StartedAt)
	}
	again := cstest(t, append([]string{"merge", "--results-dir", to}, dirs...)...)
	if want := "cstest: " + to + " already holds a finished result: choose another --results-dir\n"; again.code != 64 || again.stderr != want {
		t.Errorf("into the same directory: exit %d, %q; want 64, %q", again.code, again.stderr, want)
	}
}

func TestMergeWithoutAShardIsIncomplete(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		runs    []left
		turns   int64
		reasons []string
	}{
		{"the last", []left{{shard: "1/3"}, {shard: "0/3"}}, 800, []string{"shard 2/3 is missing"}},
		{"two", []left{{shard: "1/3"}}, 400, []string{"shard 0/3 is missing", "shard 2/3 is missing"}},
		{"many", []left{{shard: "0/12"}}, 100, []string{"11 shards are missing, the first is 1/12"}},
	} {
		to := filepath.Join(t.TempDir(), "sum")
		args := []string{"merge", "--results-dir", to}
		for _, l := range c.runs {
			args = append(args, l.leave(t))
		}
		r := cstest(t, args...)
		if r.code != 11 {
			t.Fatalf("%s: exit %d, want 11\n%s\n%s", c.name, r.code, r.stdout, r.stderr)
		}
		doc := open(t, to)
		if doc.Verdict != "incomplete" || doc.Counts.Turns != c.turns || len(doc.Reasons) < len(c.reasons) || !slices.Equal(doc.Reasons[:len(c.reasons)], c.reasons) {
			t.Errorf("%s: %s of %d turns: %q; want incomplete, %d, %q", c.name, doc.Verdict, doc.Counts.Turns, doc.Reasons, c.turns, c.reasons)
		}
	}
}

func TestMergeRefusesWhatIsNotOneLoad(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		runs []left
		want string
	}{
		{"a copy", []left{{shard: "0/2"}, {shard: "1/2"}, {shard: "1/2"}}, "$1 and $2 are both shard 1/2: a shard counts once, leave one of them out"},
		{"another seed", []left{{shard: "0/2"}, {shard: "1/2", seed: "6"}}, "$0 was run with --seed 5 and $1 with 6: they are parts of different loads, run one of them again"},
		{"another N", []left{{shard: "0/3"}, {shard: "1/3"}, {shard: "2/4"}}, "$0 is shard 0/3 and $2 is 2/4: merge shards of one N only, and run the others again with it"},
		{"another scenario", []left{{shard: "0/2"}, {shard: "1/2", rate: "300/s"}}, "$0 and $1 were run with different scenarios (compare their scenario.yaml): run one of them again with the flags of the other"},
		{"a whole run among shards", []left{{shard: "0/2"}, {}, {shard: "1/2"}}, "$1 is a whole run and no shard: leave it out (cstest report shows it)"},
	} {
		to := filepath.Join(t.TempDir(), "sum")
		args, want := []string{"merge", "--results-dir", to}, c.want
		for i, l := range c.runs {
			dir := l.leave(t)
			args, want = append(args, dir), strings.ReplaceAll(want, "$"+string(rune('0'+i)), dir)
		}
		r := cstest(t, args...)
		if r.code != 64 || r.stderr != "cstest: "+want+"\n" || r.stdout != "" {
			t.Errorf("%s: exit %d\n%s%s, want 64 and\n%s", c.name, r.code, r.stdout, r.stderr, want)
		}
		if _, err := os.Stat(to); err == nil {
			t.Errorf("%s: %s was made", c.name, to)
		}
	}
}

func TestMergeTellsOfShardsThatStartedApart(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "sum")
	r := cstest(t, "merge", "--results-dir", to, left{shard: "0/2", late: 3400 * time.Millisecond}.leave(t), left{shard: "1/2"}.leave(t))
	want := "the shards started up to 3.4 s apart and their seconds are added up all the same: give all of them the same --start-at"
	if doc := open(t, to); r.code != 0 || !slices.Equal(doc.Warnings, []string{want}) {
		t.Errorf("exit %d, warnings %q, want %q", r.code, doc.Warnings, want)
	}
}

// Starts that one shard never issued are missing from the sum, and it says so.
func TestMergeSeesStartsThatNeverCameUp(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "sum")
	r := cstest(t, "merge", "--results-dir", to, left{shard: "0/2"}.leave(t), left{shard: "1/2", lost: 20}.leave(t))
	doc := open(t, to)
	reason := "only 1,170 of 1,200 planned starts were issued, through the generator's own fault"
	if r.code != 12 || doc.Verdict != "invalid" || !slices.Equal(doc.Reasons, []string{reason}) {
		t.Errorf("exit %d, %s %q; want 12, invalid, %q", r.code, doc.Verdict, doc.Reasons, reason)
	}
	warning := "counts are not conserved: starts of the schedule = issued + dropped does not hold: 1,200 against 1,170"
	if !slices.Equal(doc.Warnings, []string{warning}) {
		t.Errorf("warnings %q, want %q", doc.Warnings, warning)
	}
}

// A sum never lands where a run is, and least of all in one of its own parts.
func TestMergeKeepsRunsAsTheyAre(t *testing.T) {
	t.Parallel()
	a, b := left{shard: "0/2"}.leave(t), left{shard: "1/2"}.leave(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(a, link); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{a, link} {
		r := cstest(t, "merge", a, b, "--results-dir", to)
		if want := "cstest: " + to + " already holds the journal of a run: choose another --results-dir\n"; r.code != 64 || r.stderr != want {
			t.Errorf("exit %d, %q; want 64, %q", r.code, r.stderr, want)
		}
	}
	if r := cstest(t, "report", a); r.code != 0 { // it has a result now
		t.Fatalf("report: exit %d\n%s", r.code, r.stderr)
	}
	if got := open(t, a).Overrides; !slices.Contains(got, "shard=0/2") {
		t.Errorf("a shard alone says %q, want which one it is", got)
	}
	before, err := os.ReadFile(filepath.Join(a, result.DocumentFile))
	if err != nil {
		t.Fatal(err)
	}
	r := cstest(t, "merge", a, b, "--results-dir", a)
	if want := "cstest: " + a + " already holds a finished result: choose another --results-dir\n"; r.code != 64 || r.stderr != want {
		t.Errorf("exit %d, %q; want 64, %q", r.code, r.stderr, want)
	}
	if after, err := os.ReadFile(filepath.Join(a, result.DocumentFile)); err != nil || string(after) != string(before) {
		t.Errorf("the result of the shard was changed: %v", err)
	}
}
