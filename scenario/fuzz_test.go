package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/scenarios"
)

// FuzzParse looks for panics, and for scenarios that print as another one.
func FuzzParse(f *testing.F) {
	for _, name := range scenarios.Names() {
		text, _ := scenarios.Get(name)
		f.Add(text, "")
	}
	f.Add(Example(), "")
	for _, name := range []string{"own.yaml", "closed.yaml", "openai.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "seed=3")
	}
	f.Add([]byte(least), "load.stages[only].starts={from: 1/s, to: 2/s}")
	f.Add([]byte(least), "target={url: 'https://x', api: custom, request: {path: /c, body: {t: '${turn.text}'}}, response: {answer: a}}")
	f.Add([]byte(least), "data={t: {rows: [{a: b}]}}")
	f.Add([]byte(least), "sla.objectives=[{name: x, kind: seconds, target: 99%}]")
	for _, text := range []string{"a: &a [*a]", "<<: {a: 1}", "? [a]\n: b", "a: !!binary aGk=", "\xef\xbb\xbfa: 1", "---\n...\n---", "a: >\n  b\n", strings.Repeat("[", 100), "%YAML 1.2\n---\na: 1"} {
		f.Add([]byte(text), "a=b")
	}
	f.Fuzz(func(t *testing.T, text []byte, set string) {
		opt := Options{Dir: "testdata", Env: func(string) (string, bool) { return "secret-value", true }}
		if set != "" {
			opt.Set = []string{set}
		}
		s, err := Parse("x.yaml", text, opt)
		if err != nil {
			var problems *Problems
			if !errors.As(err, &problems) || len(problems.List) == 0 || s != nil {
				t.Fatalf("not problems: %#v", err)
			}
			if strings.Contains(err.Error(), "secret-value") {
				t.Fatalf("a secret in the problems: %v", err)
			}
			return
		}
		roundTrip(t, s, opt)
		s.Objectives()
		if _, err := s.Scale(0.5); err != nil {
			if _, ok := errors.AsType[*Problems](err); !ok {
				t.Fatal(err)
			}
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"))
	f.Add([]byte("\xef\xbb\xbfa\n\"x\ny\"\n"))
	f.Add([]byte("{\"a\":1}\n{\"a\":true}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, read := range []func([]byte) ([]string, [][]string, error){readCSV, readJSONL} {
			columns, table, err := read(text)
			if err != nil {
				continue
			}
			for _, row := range table {
				if len(row) != len(columns) {
					t.Fatalf("%d cells under %d columns", len(row), len(columns))
				}
			}
		}
	})
}

func TestTables(t *testing.T) {
	for _, tt := range []struct{ file, text, want string }{
		{"t.csv", "", "t.csv:1:1: data.t.csv: is empty: the first line names the columns"},
		{"t.csv", "a,b\n", "t.csv:1:1: data.t.csv: has a header and no rows"},
		{"t.csv", "a,b\n1,2\n3\n", "t.csv:3:1: data.t.csv: has more or fewer fields than the header"},
		{"t.csv", "a,a\n1,2\n", `t.csv:1:1: data.t.csv: the column name "a" stands twice`},
		{"t.csv", "a b\n1\n", `t.csv:1:1: data.t.csv: the column name "a b" is not usable: 1 to 64 bytes without spaces and ${}:"`},
		{"t.csv", "a\nx\xff\n", "t.csv:2:2: data.t.csv: is not UTF-8: save the file as UTF-8 (Excel: \"CSV UTF-8\")"},
		{"t.csv", "a;b\n1;2\n", `t.csv:1:1: data.t.csv: the columns are separated by semicolons: separate them by commas (Excel: "CSV UTF-8 (comma delimited)")`},
		{"t.csv", "a\tb\n1\t2\n", `t.csv:1:1: data.t.csv: the columns are separated by tabs: separate them by commas (Excel: "CSV UTF-8 (comma delimited)")`},
		{"t.csv", "a,b\n1,2\n,\n", "t.csv:3:1: data.t.csv: is a row whose fields are all empty (a line of commas only is a row too): remove the line"},
		{"t.csv", "a\n\xc4\xfa\xba\xc3\n", `t.csv:2:1: data.t.csv: is not UTF-8 and looks like GBK, as Chinese Windows and Excel save it: save the file as UTF-8 (Excel: "CSV UTF-8"), or: iconv -f GB18030 -t UTF-8`},
		{"t.csv", "\xff\xfea\x00\n\x001\x00", `t.csv:1:1: data.t.csv: is UTF-16 (little endian), not UTF-8: save the file as UTF-8 (Excel: "CSV UTF-8"; Notepad: encoding UTF-8)`},
		{"t.csv", "a\n\"x\n", "t.csv:2:4: data.t.csv: extraneous or missing \" in quoted-field"},
		{"t.jsonl", "{\"a\":\"x\"}\n\n{\"b\":\"y\"}", `t.jsonl:3:1: data.t.jsonl: has no "a", which the first line has`},
		{"t.jsonl", "[1]", "t.jsonl:1:1: data.t.jsonl: is not an object: give one JSON object a line"},
		{"t.jsonl", `{"a":{}}`, `t.jsonl:1:1: data.t.jsonl: "a" is not a text, a number or a truth value`},
		{"../t.csv", "", "s.yaml:11:17: data.t.csv: ../t.csv: is outside of the scenario's folder: move it there"},
		{"/etc/passwd", "", "s.yaml:11:17: data.t.csv: /etc/passwd: is outside of the scenario's folder: move it there"},
		{"link.csv", "", "s.yaml:11:17: data.t.csv: link.csv: is outside of the scenario's folder: move it there"},
		{".", "", "s.yaml:11:17: data.t.csv: .: not a regular file"},
		{"none.csv", "-", "s.yaml:11:17: data.t.csv: none.csv: there is no such file: paths are relative to the scenario's folder"},
	} {
		dir := t.TempDir()
		if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link.csv")); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(tt.file, "t.") {
			if err := os.WriteFile(filepath.Join(dir, tt.file), []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		form := strings.TrimPrefix(filepath.Ext(tt.file), ".")
		if form != "jsonl" {
			form = "csv"
		}
		text := strings.Replace(least, "sla:", "data: {t: {"+form+": "+tt.file+"}}\nsla:", 1)
		_, err := Parse("s.yaml", []byte(text), Options{Dir: dir})
		if err == nil || strings.TrimPrefix(err.Error(), dir+string(filepath.Separator)) != tt.want {
			t.Errorf("%s %q: got %v, want %s", tt.file, tt.text, err, tt.want)
		}
	}
	columns, table, err := readJSONL([]byte("{\"a\":\"x\",\"b\":1.50}\n{\"b\":true,\"a\":\"y\"}\n"))
	if err != nil || strings.Join(columns, ",") != "a,b" || strings.Join(table[0], ",") != "x,1.50" || strings.Join(table[1], ",") != "y,true" {
		t.Errorf("got %v %v %v", columns, table, err)
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "big"), make([]byte, maxSecret+1), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(name string) (string, bool) { return "from-env", name == "TOKEN" }
	text := strings.Replace(least, "bundled: {}", "url: 'http://127.0.0.1:1', auth: {jwt: {secret: '${file:key}'}}, headers: {a: '${env:TOKEN}', b: '${env:NONE}', c: '${file:big}'}", 1)
	s, err := Parse("s.yaml", []byte(text), Options{Dir: dir, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"env:TOKEN": "from-env", "file:key": "from-file"} {
		if got, err := s.Secret(name); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	const want = "s.yaml:3:107: target.headers.b: the environment has no NONE: set it\n" +
		"s.yaml:3:125: target.headers.c: ${file:big}: larger than 65536 bytes"
	if err := s.CheckSecrets(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if got, err := s.Expand("redis://:${env:TOKEN}@h/$$${file:key}"); err != nil || got != "redis://:from-env@h/$from-file" {
		t.Errorf("expanded %q, %v", got, err)
	}
	if _, err := s.Expand("${user.id}"); err == nil || err.Error() != "user.id does not come from outside: only env:NAME and file:PATH do" {
		t.Errorf("got %v", err)
	}
	out, err := s.Resolved()
	if err != nil || strings.Contains(string(out), "from-") || !strings.Contains(string(out), "${env:TOKEN}") {
		t.Errorf("resolved: %s, %v", out, err)
	}
}

// Whatever a curve's file holds: an error that has its place, or stages that go forward
// in time at rates a load can have.
func FuzzCurve(f *testing.F) {
	f.Add([]byte("time,rate\n0,1\n60,5/s\n"), int64(0))
	f.Add([]byte("\xef\xbb\xbfnote,rate,time\nx,900/h,08:30\ny,0,1h30m\n"), int64(time.Minute))
	f.Add([]byte("time,rate\n0,1\n0.000000001,1e99\n"), int64(1))
	f.Fuzz(func(t *testing.T, text []byte, length int64) {
		points, err := parseCurve(text)
		if err != nil {
			return
		}
		list := stagesOf(points, piecesOf(points, time.Duration(length)), 2, time.Duration(length))
		if len(points) < 2 || len(list) == 0 || len(list) > maxStages {
			t.Fatalf("%d points, %d stages", len(points), len(list))
		}
		for i, p := range points {
			if i > 0 && p.at <= points[i-1].at || !(p.rate >= 0 && p.rate <= maxRate) {
				t.Fatalf("point %d: %+v behind %+v", i, p, points[max(i-1, 0)])
			}
		}
		for _, s := range list {
			if s.For < 0 || !(s.Starts.From >= 0 && s.Starts.To >= 0 && s.Starts.From <= 2*maxRate && s.Starts.To <= 2*maxRate) {
				t.Fatalf("stage %+v %+v", s, s.Starts)
			}
		}
	})
}
