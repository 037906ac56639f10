package comparisons

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/result"
)

const sale = "../../result/testdata/pass.json"

func TestComparisonOfSingleRunsSaysThatNoiseIsUnknown(t *testing.T) {
	a, b := reporttest.Document(t, sale), reporttest.Document(t, sale)
	*b.Latency.Response.P99Ns += *b.Latency.Response.P99Ns / 10
	c, err := result.Compare([]result.Run{{Doc: a}}, []result.Run{{Doc: b}}, result.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteText(c, &out, terminal.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"between-run noise unknown", "CANNOT TELL", "+10"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	reporttest.Lines(t, out.String(), 100)
}
