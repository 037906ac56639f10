package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
)

// Where the target keeps trace ids to itself, a terminal says once what to do.
func TestUntiedClientIsToldOnce(t *testing.T) {
	d := saleDocument(t)
	why := reason.Reasons{reason.New(reason.ClientUntied, int64(90), int64(100))}
	d.Client = &result.Client{Calls: 100, Tied: 10}
	for _, what := range scenario.ClientFindings() {
		d.Client.Findings = append(d.Client.Findings, result.ClientFinding{Name: what, State: "not_seen", Reason: why.Text(reason.English), ReasonCodes: why})
	}
	for _, tt := range []struct {
		lang   reason.Lang
		detail bool
		says   string
		times  int
	}{
		{reason.English, false, "90 of 100 calls carry no trace id of the run", 1},
		{reason.English, true, "90 of 100 calls carry no trace id of the run", 7},
		{reason.Chinese, false, "100 次调用中 90 次没有带本次压测的 trace", 1},
	} {
		var out bytes.Buffer
		if err := WriteText(d, &out, TextOptions{Lang: tt.lang, Detail: tt.detail}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), tt.says); n != tt.times {
			t.Errorf("language %v, detail %t: it is said %d times, want %d\n%s", tt.lang, tt.detail, n, tt.times, out.String())
		}
	}
}
