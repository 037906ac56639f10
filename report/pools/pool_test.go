package pools

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/cstest/cstest/pool"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/result"
)

// together are two sales that were given, the second hostile, and one left out.
func together(t *testing.T) *pool.Result {
	t.Helper()
	var runs []result.Run
	for _, id := range []string{"run-1", "run-2 <b>\x1b[31m|", "run-3"} {
		d := *reporttest.Document(t, "../../result/testdata/pass.json")
		d.RunID = id
		runs = append(runs, result.Run{Dir: id, Doc: &d})
	}
	r, err := pool.Judge(runs[:2], runs[2:], "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSeveralRunsTogetherInEveryFormat(t *testing.T) {
	r := together(t)
	for _, tt := range []struct {
		format string
		lang   reason.Lang
		want   []string
	}{
		{"text", reason.English, []string{"2 runs together, 1 left out", "68,060", "Between the runs", "latency-p99", "and was left"}},
		{"text", reason.Chinese, []string{"合并 2 次运行，未包括 1 次", "各次运行之间", "但未包括在内"}},
		{"markdown", reason.English, []string{"## ⚠️ midnight-sale: inconclusive", "| latency-p99 |", "> ⚠ run-3", "68,060"}},
		{"html", reason.English, []string{"<td class=\"name\">latency-p99</td>", "68,060", "geometric mean"}},
		{"html", reason.Chinese, []string{"几何均值", "各次运行"}},
	} {
		var out bytes.Buffer
		if err := As(r, tt.format, terminal.Options{Lang: tt.lang})(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s %s: no %q in\n%s", tt.format, tt.lang, want, out.String())
			}
		}
		if strings.ContainsRune(out.String(), 0x1b) || tt.format != "text" && strings.Contains(out.String(), "<b>") {
			t.Errorf("%s: hostile text came through", tt.format)
		}
		switch tt.format {
		case "text":
			reporttest.Lines(t, out.String(), 100)
		case "html":
			reporttest.Inert(t, "several-"+string(tt.lang), out.String())
		}
	}
	var out bytes.Buffer
	if err := As(r, "json", terminal.Options{})(&out); err != nil {
		t.Fatal(err)
	}
	var back pool.Result
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || len(back.Runs) != 2 || len(back.LeftOut) != 1 || back.Verdict != r.Verdict || len(back.ReasonCodes) != len(r.ReasonCodes) {
		t.Errorf("read back: %v %+v", err, back)
	}
}

func TestTextsKeepToTheVocabulary(t *testing.T) {
	reporttest.Texts(t, textsIn(reason.English), textsIn(reason.Chinese))
}
