package report

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/result"
)

// What docs/reading-a-report shows of a report is what is printed: of the sale
// that fails, of a run of 100 turns, which is too few, and of one on a machine
// where a compiler took the processors. A line … stands for what is left out.
func TestReadingAReportShowsWhatIsPrinted(t *testing.T) {
	documents := []*result.Document{slowDocument(t), reporttest.Document(t, "testdata/inconclusive.json"), reporttest.Document(t, "testdata/invalid.json")}
	blank := regexp.MustCompile(`\s+`)
	for path, lang := range map[string]reason.Lang{"../docs/reading-a-report.md": reason.English, "../docs/reading-a-report.zh-CN.md": reason.Chinese} {
		var printed bytes.Buffer
		for _, d := range documents {
			if err := WriteText(d, &printed, TextOptions{Lang: lang}); err != nil {
				t.Fatal(err)
			}
		}
		all := blank.ReplaceAllString(printed.String(), "")
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for _, block := range regexp.MustCompile("(?s)```text\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
			for part := range strings.SplitSeq(block[1], "\n…\n") {
				shown++
				if !strings.Contains(all, blank.ReplaceAllString(part, "")) {
					t.Errorf("%s shows what no report says:\n%s", path, part)
				}
			}
		}
		if shown < 15 {
			t.Errorf("%s shows %d parts of reports", path, shown)
		}
	}
}
