package result

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

const steady = `version: 1
name: steady
seed: 5
target: {url: "http://127.0.0.1:9", api: custom, request: {path: /talk, body: {text: "${turn.text}"}}, response: {answer: reply}}
load: {arrivals: constant, stages: [{name: s, for: 4s, starts: 100/s}]}
conversations:
  - {name: c, turns: [{say: a}]}
checks: {memory: off}
sla: {latency: {p90: 1s}, availability: 90%}
`

// journaled is a run of which a journal was left: it was answered in 100 ms.
type journaled struct {
	about   About
	started time.Time
	notes   map[string]any // beside those of every run
	torn    bool           // killed before its end was written
	failed  int            // of the first turns
	blind   bool           // no answer tells whose it is
}

func (j journaled) leave(t *testing.T) (path string) {
	t.Helper()
	s, err := scenario.Parse("scenario.yaml", []byte(j.about.Scenario), scenario.Options{})
	if err != nil {
		t.Fatal(err)
	}
	shard, err := j.about.shard()
	if err != nil {
		shard = Shard{N: 1}
	}
	stages := []measure.Stage{{Name: "s", End: 4 * time.Second, Judged: true}}
	plan := &measure.Plan{Stages: stages, Slots: []measure.Slot{{Conversation: "c", Say: "a"}}, Budgets: sla.Budgets(s.Objectives(), stages, s.SLA)}
	rec := measure.NewRecorder(plan, 1)
	planned := int64(0)
	for k := shard.I; k < 400; k += shard.N {
		at := time.Duration(k) * 10 * time.Millisecond
		turn := measure.Turn{Intended: at, Sent: at, Done: at + 100*time.Millisecond, Memory: measure.Verified}
		if j.blind {
			turn.Memory = measure.NotVerified
		}
		if int(planned) < j.failed {
			turn.Outcome = measure.ServerError
		}
		planned++
		rec.Lane(0).Started(at)
		rec.Lane(0).Record(&turn)
		rec.Lane(0).Ended(measure.Complete, nil)
	}
	interval, err := rec.Cut(4200 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), JournalFile)
	w, err := measure.CreateJournal(path, measure.Header{}, plan)
	if err != nil {
		t.Fatal(err)
	}
	started := j.started
	if started.IsZero() {
		started = time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	}
	notes := map[string]any{NoteAbout: j.about, NoteStarted: started.Format(time.RFC3339Nano)}
	maps.Copy(notes, j.notes)
	errs := []error{w.AppendInterval(interval)}
	for name, note := range notes {
		errs = append(errs, w.AppendNote(name, note))
	}
	if j.torn {
		errs = append(errs, w.Abandon())
	} else {
		facts := &measure.Facts{ExternalTarget: true, Generator: measure.Generator{Cores: 2, Planned: planned}}
		errs = append(errs, w.AppendFacts(facts), w.Close())
	}
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func (j journaled) recover(t *testing.T) *Recovered {
	t.Helper()
	r, err := Recover(j.leave(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A run read back is judged as it was when it ended.
func TestRecoverGivesTheSameDocument(t *testing.T) {
	j := journaled{
		about: About{Scenario: steady, Dir: ".", RunID: "r", Version: "1", Tags: map[string]string{"a": "b"}, Overrides: []string{"insecure=true"}, Scale: 0.5},
		notes: map[string]any{NoteSignal: 15, NoteWarnings: reason.Reasons{reason.New(reason.ViewPanicked)}},
	}
	r := j.recover(t)
	got, err := r.Document()
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Parse("scenario.yaml", []byte(steady), scenario.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := Build(s, &j.about, Recording{
		Snapshot: r.Snapshot, Facts: r.Facts, Started: time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC),
		Warnings: reason.Reasons{reason.New(reason.ViewPanicked)}, Signal: 15,
	})
	if string(text(t, got)) != string(text(t, want)) {
		t.Errorf("%s\nwant\n%s", text(t, got), text(t, want))
	}
	if got.Verdict != "pass" || got.ExitCode != 143 || got.Counts.OK != 400 || got.Scenario.Scale != 0.5 || !slices.Equal(got.Warnings, want.Warnings) || len(want.Warnings) == 0 {
		t.Errorf("%s, exit %d, %d ok, warnings %q", got.Verdict, got.ExitCode, got.Counts.OK, got.Warnings)
	}
}

// A run that was killed is not one that ended well.
func TestRecoverTellsWhatIsMissing(t *testing.T) {
	j := journaled{about: About{Scenario: steady, Scale: 1}, torn: true, notes: map[string]any{NoteSignal: "fifteen"}}
	r := j.recover(t)
	d, err := r.Document()
	if err != nil {
		t.Fatal(err)
	}
	if d.Verdict != "incomplete" || d.ExitCode != 11 || d.Counts.OK != 400 {
		t.Errorf("%s, exit %d, %d ok; reasons %q", d.Verdict, d.ExitCode, d.Counts.OK, d.Reasons)
	}
	codes := map[reason.Code]bool{}
	for _, w := range d.WarningCodes {
		codes[w.Code] = true
	}
	if !codes[reason.JournalCut] || !codes[reason.NoteUnreadable] {
		t.Errorf("warnings %q", d.Warnings)
	}
}

func TestRecoverRefuses(t *testing.T) {
	dir := t.TempDir()
	zipped, other := filepath.Join(dir, "zipped"), filepath.Join(dir, "other")
	write(t, zipped, "\x1f\x8b\x08\x00")
	write(t, other, "not a journal")
	for path, want := range map[string]string{
		zipped: "gzip-compressed", other: other + ": ", filepath.Join(dir, "absent"): "no such file",
		journaled{about: About{Scenario: steady}, notes: map[string]any{NoteAbout: 7}}.leave(t): "it does not say which scenario was run",
	} {
		if _, err := Recover(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	r := journaled{about: About{Scenario: steady}}.recover(t)
	r.About.Scenario = "version: 2"
	if _, err := r.Document(); err == nil || !strings.Contains(err.Error(), "the scenario in "+r.path) {
		t.Errorf("a scenario that is none: %v", err)
	}
}

// shards are the parts of a run of steady, each changed.
func shards(t *testing.T, n int, change func(i int, j *journaled)) []*Recovered {
	t.Helper()
	out := make([]*Recovered, n)
	for i := range out {
		j := journaled{about: About{Scenario: steady, Dir: ".", RunID: "r", Overrides: []string{"insecure=true", Shard{i, n}.Override()}, Scale: 1}}
		if change != nil {
			change(i, &j)
		}
		out[i] = j.recover(t)
	}
	return out
}

func merged(t *testing.T, parts ...*Recovered) *Document {
	t.Helper()
	sum, err := Merge(parts...)
	if err != nil {
		t.Fatal(err)
	}
	d, err := sum.Document()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The sum of the shards is the run, and their order does not matter.
func TestMergeIsTheWholeRun(t *testing.T) {
	whole, err := journaled{about: About{Scenario: steady, Dir: ".", RunID: "r", Overrides: []string{"insecure=true"}, Scale: 1}}.recover(t).Document()
	if err != nil {
		t.Fatal(err)
	}
	parts := shards(t, 3, nil)
	got := merged(t, parts...)
	if got.Verdict != "pass" || got.Counts != whole.Counts || got.StartedAt != whole.StartedAt || !slices.Equal(got.Overrides, whole.Overrides) || len(got.Warnings) != 0 {
		t.Errorf("%s, %+v, started %s, overrides %q, warnings %q", got.Verdict, got.Counts, got.StartedAt, got.Overrides, got.Warnings)
	}
	a, b := asJSON(t, got.Latency), asJSON(t, whole.Latency)
	if a != b {
		t.Errorf("latency %s, want %s", a, b)
	}
	for _, order := range [][3]int{{2, 1, 0}, {1, 2, 0}} {
		if other := merged(t, parts[order[0]], parts[order[1]], parts[order[2]]); string(text(t, other)) != string(text(t, got)) {
			t.Errorf("in the order %v the sum is another", order)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Bad turns of one shard are bad turns of the run: a third of it fails all of it.
func TestMergeJudgesTheSum(t *testing.T) {
	parts := shards(t, 3, func(i int, j *journaled) {
		if i == 1 {
			j.failed = 133
		}
	})
	d := merged(t, parts...)
	if d.Verdict != "fail" || d.Counts.ServerError != 133 || d.Counts.Turns != 400 {
		t.Errorf("%s, %d of %d turns failed: %q", d.Verdict, d.Counts.ServerError, d.Counts.Turns, d.Reasons)
	}
}

func TestMergeKeepsWhatShardsSay(t *testing.T) {
	at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	parts := shards(t, 2, func(i int, j *journaled) {
		j.started = at.Add(time.Duration(1-i) * 3 * time.Second)
		j.about.InconclusivePasses = i == 0
		j.notes = map[string]any{NoteWarnings: reason.Reasons{reason.New(reason.ViewPanicked)}, NoteSignal: 2 * i}
	})
	sum, err := Merge(parts...)
	if err != nil {
		t.Fatal(err)
	}
	want := reason.Reasons{reason.New(reason.ViewPanicked), reason.New(reason.ShardsApart, 3*time.Second)}
	if sum.Warnings.String() != want.String() || !sum.Started.Equal(at) || sum.About.InconclusivePasses || sum.Signal != 0 {
		t.Errorf("warnings %q, started %s, inconclusive passes %t, signal %d", sum.Warnings, sum.Started, sum.About.InconclusivePasses, sum.Signal)
	}
	// Of what it took nothing was changed.
	if !slices.Contains(parts[0].About.Overrides, "shard=0/2") || len(parts[0].Warnings) != 1 {
		t.Errorf("a shard now has overrides %q, warnings %q", parts[0].About.Overrides, parts[0].Warnings)
	}
}

func TestMergeRefuses(t *testing.T) {
	two := shards(t, 2, nil)
	unreadable := shards(t, 2, func(i int, j *journaled) { j.about.Overrides = []string{"shard=2/2"} })
	for _, c := range []struct {
		name  string
		parts []*Recovered
		want  string
	}{
		{"nothing", nil, "at least one shard"},
		{"one twice", []*Recovered{two[0], two[0]}, "are both shard 0/2"},
		{"a shard of another number", []*Recovered{two[0], shards(t, 3, nil)[1]}, "is 1/3"},
		{"a whole run", []*Recovered{two[0], journaled{about: About{Scenario: steady}}.recover(t)}, "is a whole run and no shard"},
		{"a part that cannot be", unreadable[:1], `--shard "2/2": want i/N`},
	} {
		if _, err := Merge(c.parts...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestMergeWithoutAShardIsIncomplete(t *testing.T) {
	d := merged(t, shards(t, 3, nil)[1])
	if d.Verdict != "incomplete" || d.ExitCode != 11 || len(d.Reasons) < 2 || d.Reasons[0] != "shard 0/3 is missing" || d.Reasons[1] != "shard 2/3 is missing" {
		t.Errorf("%s, exit %d, %q", d.Verdict, d.ExitCode, d.Reasons)
	}
}

func TestParseShard(t *testing.T) {
	for text, want := range map[string]Shard{"0/1": {0, 1}, "3/4": {3, 4}, "1023/1024": {1023, 1024}} {
		if got, err := ParseShard(text); err != nil || got != want || got.String() != text || got.Override() != "shard="+text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "1/", "/2", "2/2", "-1/2", "0/0", "0/1025", "a/b", "0/2/3", "0x1/2"} {
		if got, err := ParseShard(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
