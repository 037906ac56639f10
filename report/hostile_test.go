package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/ci"
	"github.com/cstest/cstest/report/comparisons"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/result"
)

// payloads are what a server, a data file or a file name may try. HOST stands
// for an address on which a test counts requests.
func payloads() []string {
	return []string{
		`<script>document.documentElement.dataset.pwned=1;fetch("http://HOST/fetch")</script>`,
		`"><img src=http://HOST/img onerror="document.documentElement.dataset.pwned=1">`,
		`</script><script>document.documentElement.dataset.pwned=1</script>`,
		`</title></style><svg/onload=document.documentElement.dataset.pwned=1>`,
		`javascript:document.documentElement.dataset.pwned=1`,
		"`${document.documentElement.dataset.pwned=1}` {{.D}} <!--",
		"';document.documentElement.dataset.pwned=1;//\u2028\u2029",
		`x{background:url(http://HOST/css)}</style><link rel=stylesheet href=http://HOST/link>`,
		"\x1b]0;title\a\x1b[2J\x1b]52;c;cGF5\a\u009b31m\r\nEVIL",
		"::set-env name=PATH::/tmp\n::error::x ##[command]evil ##teamcity[x]",
		"=HYPERLINK(\"http://HOST/csv\")", "@SUM(1)\t+1", "]]><x/>\x00\x01\ufffe &amp; \xff\xfe",
		"客服本来有\u202egnp.exe\u200b👩‍👩‍👧", strings.Repeat("券", 5000), "e" + strings.Repeat("\u0301", 400),
	}
}

// hostileDocument is a sale in which every free text is a payload.
func hostileDocument(t testing.TB) *result.Document {
	t.Helper()
	d, limit := saleDocument(t), int64(5e8)
	// More than a run has: three turns of errors, an outage, every kind of note.
	for _, p := range payloads() {
		d.Reasons, d.Warnings, d.Overrides = append(d.Reasons, p), append(d.Warnings, p), append(d.Overrides, p)
		d.Generator.Reasons = append(d.Generator.Reasons, p)
		d.ReasonCodes, d.WarningCodes = append(d.ReasonCodes, reason.Said(p)), append(d.WarningCodes, reason.New(reason.ShardSays, p, reason.Said(p)))
		d.Generator.ReasonCodes = append(d.Generator.ReasonCodes, reason.Said(p))
		d.Errors = append(d.Errors, result.Error{Outcome: "server_error", Message: p, Sample: p, Count: 1, Example: result.Example{Conversation: p, Turn: 1, TraceID: p}})
		d.Availability.Outages = append(d.Availability.Outages, result.Outage{StartS: 1, LengthS: 1, Cause: p})
		d.Objectives = append(d.Objectives, result.Objective{Name: p, Kind: "latency", Unit: "share", Verdict: "fail", Reason: p, ReasonCodes: reason.Reasons{reason.Said(p)}, N: 1, LimitNs: &limit, Stages: []string{p}})
		d.Tags["k"+p], d.Knobs["k"+p] = p, p
	}
	ended := 3.0
	d.Processes[0].EndedS = &ended
	keep := map[string]bool{
		"Verdict": true, "Unit": true, "Outcome": true, "Tier": true, "StartedAt": true, "SHA256": true, "Kind": true, "Code": true,
		"Gate": true, "OnInconclusive": true, "RateLimited": true, "Load": true, "States": true, "By": true,
	}
	next := 0
	var poison func(v reflect.Value, name string)
	poison = func(v reflect.Value, name string) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if !keep[v.Type().Field(i).Name] {
					poison(v.Field(i), v.Type().Field(i).Name)
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				poison(v.Index(i), name)
			}
		case reflect.Pointer:
			if !v.IsNil() {
				poison(v.Elem(), name)
			}
		case reflect.Interface:
			if v.Elem().Kind() != reflect.String {
				poison(v.Elem(), name)
				break
			}
			v.Set(reflect.ValueOf(payloads()[next%len(payloads())]).Convert(v.Elem().Type()))
			next++
		case reflect.String:
			v.SetString(payloads()[next%len(payloads())])
			next++
		}
	}
	poison(reflect.ValueOf(d).Elem(), "")
	return readBack(t, d)
}

// readBack is d as it reads back from result.json: invalid UTF-8 has become U+FFFD.
func readBack(t testing.TB, d *result.Document) *result.Document {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var out result.Document
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

func TestHostileTerminal(t *testing.T) {
	d := hostileDocument(t)
	for _, lang := range []reason.Lang{reason.English, reason.Chinese} {
		var b bytes.Buffer
		if err := WriteText(d, &b, TextOptions{Lang: lang}); err != nil {
			t.Fatal(err)
		}
		reporttest.Lines(t, b.String(), 100)
	}
	for _, narrow := range []int{1, 80, 100} {
		var b bytes.Buffer
		if err := WriteText(d, &b, TextOptions{Width: narrow}); err != nil {
			t.Fatal(err)
		}
		reporttest.Lines(t, b.String(), max(narrow, 80))
	}
	var b bytes.Buffer
	if err := WriteMarkdown(d, &b, reason.English); err != nil {
		t.Fatal(err)
	}
	reporttest.Lines(t, b.String(), 1<<20)
	if !strings.Contains(b.String(), "客服本来有&lt;U+202E&gt;gnp.exe") {
		t.Error("Markdown lost the Chinese text, or kept the bidirectional control")
	}
	for _, html := range []string{"<script", "<img", "<svg", "<link", "](", "@SUM"} {
		if strings.Contains(b.String(), html) {
			t.Errorf("Markdown holds %s", html)
		}
	}
}

func TestHostileJUnit(t *testing.T) {
	d := hostileDocument(t)
	var b bytes.Buffer
	if err := ci.WriteJUnit(d, &b); err != nil {
		t.Fatal(err)
	}
	checkXML(t, b.Bytes())
	var back struct {
		Suite struct {
			Cases []struct {
				Name    string    `xml:"name,attr"`
				Failure *struct{} `xml:"failure"`
			} `xml:"testcase"`
			Failures int `xml:"failures,attr"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	failures := 0
	for i, c := range back.Suite.Cases[1:] {
		if want := escape.Clean(d.Objectives[i].Name); c.Name != want {
			t.Errorf("case %d is %q, want %q", i, c.Name, want)
		}
		if c.Failure != nil {
			failures++
		}
	}
	if len(back.Suite.Cases) != len(d.Objectives)+1 || failures != back.Suite.Failures || failures != len(payloads()) {
		t.Errorf("%d cases, %d failures, attribute says %d", len(back.Suite.Cases), failures, back.Suite.Failures)
	}
}

// checkXML verifies that text is well-formed XML 1.0, character by character.
func checkXML(t *testing.T, text []byte) {
	t.Helper()
	if !utf8.Valid(text) {
		t.Error("not UTF-8")
	}
	for _, r := range string(text) {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r >= 0xd800 && r < 0xe000 || r == 0xfffe || r == 0xffff {
			t.Errorf("%U is no character of XML 1.0", r)
		}
	}
	dec := xml.NewDecoder(bytes.NewReader(text))
	dec.Strict = true
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// JSON goes to standard output too, where a CI runner reads along.
func TestHostileJSON(t *testing.T) {
	d := hostileDocument(t)
	var b bytes.Buffer
	if err := WriteJSON(d, &b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(b.String(), "\n") {
		if strings.Contains(line, "##") || strings.HasPrefix(strings.TrimSpace(line), "::") {
			t.Errorf("a CI command: %q", line)
		}
	}
	back, err := result.Parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, back); diff != "" {
		t.Errorf("reads back differently: %s", diff)
	}
	schema, err := jsonschema.NewCompiler().Compile("../docs/result.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Error(err)
	}
}

func TestHostileCSV(t *testing.T) {
	d := hostileDocument(t)
	seen := 12.5
	d.Observed = []result.Observation{{Name: "=cmd()", Values: []*float64{&seen}}, {Name: "pool"}}
	var b bytes.Buffer
	if err := WriteCSV(d, &b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(d.Series)+1 {
		t.Fatalf("%d rows for %d seconds", len(rows), len(d.Series))
	}
	last := len(rows[0]) - 2
	if got := [4]string{rows[0][last], rows[0][last+1], rows[1][last], rows[1][last+1]}; got != [4]string{"observed:=cmd()", "observed:pool", "12.5", ""} {
		t.Errorf("what was observed is %q", got)
	}
	for _, row := range rows {
		for _, c := range row {
			if c != "" && strings.ContainsRune("=+-@\t\r\n\x00", rune(c[0])) {
				t.Errorf("cell %q", c)
			}
		}
	}
}

// A result.json may come from anybody: whatever numbers it holds, and whatever
// it leaves out, nothing panics.
func TestRenderingsSurviveAnyNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	extremes := []string{"-1", "0", "1", "-9223372036854775808", "9223372036854775807", "1e300", "-1e300", "null", "0.5"}
	var b bytes.Buffer
	if err := WriteJSON(saleDocument(t), &b); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(b.String(), `"schema_version": 1`, `"schema_version": 2`)
	value := regexp.MustCompile(`(": |^\s+)(-?[0-9.e+]+|true|false|null|\[\]|\{\})(,?)$`)
	lines := strings.Split(text, "\n")
	decoded := 0
	for range 25 {
		mutated := make([]string, len(lines))
		for i, line := range lines {
			mutated[i] = line
			if rng.IntN(8) == 0 {
				mutated[i] = value.ReplaceAllString(line, "${1}"+extremes[rng.IntN(len(extremes))]+"${3}")
			}
		}
		var d result.Document
		// A number that does not fit its field is left out; the rest is decoded.
		if err := json.Unmarshal([]byte(strings.Join(mutated, "\n")), &d); err != nil && !errors.As(err, new(*json.UnmarshalTypeError)) {
			t.Fatal(err)
		}
		decoded++
		_ = rendered(t, &d)
		if c, err := result.Compare([]result.Run{{Doc: &d}}, []result.Run{{Doc: &d}}, result.CompareOptions{}); err == nil {
			_ = comparisons.WriteText(c, io.Discard, TextOptions{})
		}
	}
	if decoded == 0 {
		t.Error("nothing was rendered")
	}
}

// Whatever is read as a result can be shown.
func FuzzText(f *testing.F) {
	f.Add([]byte(`{"schema_version":1}`))
	for _, path := range []string{passJSON, failJSON} {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := result.Parse(text)
		if err != nil {
			return
		}
		if err := WriteText(d, io.Discard, TextOptions{}); err != nil {
			t.Error(err)
		}
	})
}
