package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cstest/cstest/result"
)

// A server that gives a third of its turns one line which no pattern knows: full
// quality is not verified, whether one process drives the load or two.
func TestOneAnswerToManyQuestionsIsNotFullQuality(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		line func(n int64) bool
		want string
		told bool
	}{
		"one process":   {nil, func(n int64) bool { return n%3 == 0 }, "not_verified", true},
		"two processes": {[]string{"--processes", "2"}, func(n int64) bool { return n%3 == 0 }, "not_verified", true},
		"named canned":  {[]string{"--set", "checks.canned=[记录了]"}, func(n int64) bool { return n%3 == 0 }, "fail", false},
		"never":         {nil, func(int64) bool { return false }, "pass", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			r, doc := runAgainst(t, "repeated-line.yaml", func(w http.ResponseWriter, q *http.Request) {
				var said struct {
					Text string `json:"text"`
				}
				if body, err := io.ReadAll(q.Body); err != nil || json.Unmarshal(body, &said) != nil {
					return
				}
				k := n.Add(1)
				answer := fmt.Sprintf("关于%s，第%d条说明%s", said.Text, k, string(rune(0x4e00+k)))
				if c.line(k) {
					answer = fmt.Sprintf("这边为您记录了，工单 T-%d", k)
				}
				fmt.Fprintf(w, `{"reply":%q}`, answer)
			}, c.args...)
			verdict := ""
			for _, o := range doc.Objectives {
				if o.Name == "full-quality" {
					verdict = o.Verdict
				}
			}
			if told := warned(doc, "different questions got one and the same answer"); verdict != c.want || told != c.told {
				t.Errorf("full quality is %s, told %t; want %s, %t\n%q\n%s", verdict, told, c.want, c.told, doc.Warnings, r.stderr)
			}
		})
	}
}

func warned(doc *result.Document, what string) bool {
	for _, w := range doc.Warnings {
		if strings.Contains(w, what) {
			return true
		}
	}
	return false
}
