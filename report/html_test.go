package report

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/webpage"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

func pageOf(t *testing.T, d *result.Document, lang reason.Lang) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteHTML(d, &b, lang); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The policy names exactly what the page holds, and the page refers to nothing else.
func TestPageIsSelfContained(t *testing.T) {
	page := pageOf(t, saleDocument(t), reason.English)
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if policy == nil {
		t.Fatal("no policy")
	}
	allowed := strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(policy[1])
	for _, part := range regexp.MustCompile(`(?s)<(script|style)>(.*?)</(?:script|style)>`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(allowed, part[1]+"-src ") || !strings.Contains(allowed, webpage.Hash(part[2])) {
			t.Errorf("a %s of %d bytes is not in the policy %s", part[1], len(part[2]), allowed)
		}
	}
	if !strings.HasPrefix(allowed, "default-src 'none'; ") || strings.Contains(allowed, "unsafe") || strings.Contains(allowed, "http") {
		t.Errorf("policy %s", allowed)
	}
	for _, pattern := range []string{`(?i)\ssrc=`, `(?i)\shref=`, `(?i)<link`, `(?i)\sstyle=`, `(?i)\son[a-z]+=`, `@import`, `innerHTML`, `eval\(`, `new Function`} {
		if m := regexp.MustCompile(pattern).FindStringIndex(page); m != nil {
			t.Errorf("the page holds %s: …%s…", pattern, page[max(m[0]-40, 0):min(m[1]+40, len(page))])
		}
	}
	for _, script := range []string{pageScript, uPlotScript} {
		if strings.Contains(strings.ToLower(script), "</script") {
			t.Error("a script ends itself")
		}
	}
}

// chromium gives the DOM after the page's scripts ran, or skips the test.
func chromium(t *testing.T, page string) string {
	t.Helper()
	var bin string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			bin = path
			break
		}
	}
	if bin == "" {
		t.Skip("no Chromium here: the page's behaviour in a browser was not tested")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+filepath.Join(dir, "profile"), "--window-size=1280,2000",
		"--virtual-time-budget=5000", "--enable-logging=stderr", "--dump-dom", "file://"+path)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", bin, err, log.String())
	}
	for line := range strings.SplitSeq(log.String(), "\n") {
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("the page complains: %s", line)
		}
	}
	return out.String()
}

func TestPageInABrowser(t *testing.T) {
	d := saleDocument(t)
	dom := chromium(t, pageOf(t, d, reason.Chinese))
	if n := strings.Count(dom, "<canvas"); n != 10 {
		t.Errorf("%d charts drawn, want 10", n)
	}
	if !strings.Contains(dom, "<html lang=\"zh-CN\">") || !strings.Contains(dom, "优惠券") {
		t.Error("Chinese text is missing")
	}
}

func TestPageOfAnHour(t *testing.T) {
	d := saleDocument(t)
	first := d.Series[0]
	d.Series, d.Stages = nil, []result.Stage{{Name: "peak", EndS: 3600, Judged: true}}
	for i := range 3600 {
		s := first
		s.TS, s.Turns, s.OK = i, 1000, 1000
		s.Tiers.LLM = 1000
		d.Series = append(d.Series, s)
	}
	page := pageOf(t, d, reason.English)
	if len(page) > 1<<20 {
		t.Errorf("%d bytes", len(page))
	}
	if dom := chromium(t, page); strings.Count(dom, "<canvas") != 8 {
		t.Errorf("%d charts drawn, want 8", strings.Count(dom, "<canvas"))
	}
}

func TestHostilePageInABrowser(t *testing.T) {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		t.Errorf("the page asked for %s", r.URL)
	}))
	defer server.Close()
	page := pageOf(t, hostileDocument(t), reason.English)
	page = strings.ReplaceAll(page, "HOST", strings.TrimPrefix(server.URL, "http://"))
	dom := chromium(t, page)
	if n := strings.Count(dom, "<canvas"); n != 10 {
		t.Errorf("%d charts drawn, want 10: the page's own scripts did not run to the end", n)
	}
	if strings.Contains(dom, "data-pwned") {
		t.Error("a payload ran")
	}
	for tag, want := range map[string]int{"<script": 3, "<style": 1, "<img": 0, "<link": 0, "<iframe": 0, "<title": 1} {
		if n := strings.Count(withoutData(dom), tag); n != want && tag != "<title" {
			t.Errorf("%d of %s, want %d", n, tag, want)
		}
	}
	if requests.Load() != 0 {
		t.Errorf("%d requests left the page", requests.Load())
	}
	if !strings.Contains(dom, "客服本来有&lt;U+202E&gt;gnp.exe") {
		t.Error("the Chinese text was lost")
	}
}

// withoutData takes the page's own scripts' text away, in which words like <img may stand.
func withoutData(dom string) string {
	return regexp.MustCompile(`(?s)(<script[^>]*>).*?</script>`).ReplaceAllString(dom, "$1")
}

// The page says how late the generator was, by second, and on whose machine.
func TestPageIsHonestAboutTheGenerator(t *testing.T) {
	d := saleDocument(t)
	lag := chartsOf(d, words.In(reason.English)).Series.Lag
	most := int64(0)
	for i, s := range d.Series {
		if afterStages(d, s) {
			continue
		}
		if lag[i] == nil || s.LagP99Ns == nil {
			if lag[i] != s.LagP99Ns {
				t.Fatalf("second %d: lag %v of %v", i, lag[i], s.LagP99Ns)
			}
			continue
		}
		if *lag[i] != *s.LagP99Ns {
			t.Fatalf("second %d: lag %d, want %d", i, *lag[i], *s.LagP99Ns)
		}
		most = max(most, *lag[i])
	}
	if most == 0 {
		t.Error("no second has a lag")
	}
	for lang, want := range map[reason.Lang]string{reason.English: "the target ran on the generator&#39;s machine", reason.Chinese: "被测系统与压测机在同一台机器上"} {
		page := pageOf(t, d, lang)
		if !strings.Contains(page, want) || strings.Count(page, `data-chart="lag"`) != 1 {
			t.Errorf("%s: the page says %q: %v", lang, want, strings.Contains(page, want))
		}
		d.Environment.SharedHost = false
		d.Warnings = nil
		if strings.Contains(pageOf(t, d, lang), want) {
			t.Errorf("%s: the page says %q of a target elsewhere", lang, want)
		}
		d.Environment.SharedHost = true
	}
}
