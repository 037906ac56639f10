package report_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/result"
)

// A finished result is shown as text, here in Chinese: its first line.
func ExampleWriteText() {
	text, err := os.ReadFile("../result/testdata/fail.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := result.Parse(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	var out bytes.Buffer
	if err := report.WriteText(d, &out, report.TextOptions{Lang: reason.Chinese}); err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, d.Scenario.Name) {
			fmt.Print(strings.TrimSpace(line))
		}
	}
	// Output: ✗ 不通过  midnight-sale · 1 min 54 s · 11,341 个会话 · 34,023 轮
}
