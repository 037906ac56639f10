// Package reporttest holds what the tests of several kinds of reports do alike.
package reporttest

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/webpage"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/visible"
)

// Document reads one from a file.
func Document(t testing.TB, path string) *result.Document {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := result.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Lines finds what a terminal or a CI runner would act on, and lines too wide.
func Lines(t testing.TB, text string, limit int) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Error("not UTF-8")
	}
	for line := range strings.SplitSeq(text, "\n") {
		for _, r := range line {
			if unicode.IsControl(r) || visible.Hidden(r) {
				t.Errorf("%U in %q", r, line)
			}
		}
		if strings.Contains(line, "##[") || strings.Contains(line, "##teamcity[") || strings.HasPrefix(strings.TrimSpace(line), "::") {
			t.Errorf("a CI command: %q", line)
		}
		if escape.Width(line) > limit {
			t.Errorf("%d cells, more than %d: %q", escape.Width(line), limit, line)
		}
	}
}

// Inert finds what a page without a script would load or run, whatever names a user
// chose. CSTEST_PAGES may be a directory to leave the page in, for a look.
func Inert(t testing.TB, name, page string) {
	t.Helper()
	if dir := os.Getenv("CSTEST_PAGES"); dir != "" {
		look, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = look.Close() }()
		if err := look.WriteFile(name+".html", []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []string{"<script", "http://", "https://", "src=", "url(", "<b>", "@import"} {
		if strings.Contains(page, bad) {
			t.Errorf("%s: %q is on the page", name, bad)
		}
	}
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
	if style == nil || !strings.Contains(page, "style-src "+strings.NewReplacer("'", "&#39;", "+", "&#43;").Replace(webpage.Hash(style[1]))) {
		t.Errorf("%s: the policy does not name the style", name)
	}
	body := page[strings.Index(page, "<body>"):strings.Index(page, "</html>")]
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.Entity, d.AutoClose = true, xml.HTMLEntity, xml.HTMLAutoClose
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, body)
		}
	}
}

// Texts finds a text that is missing in a language, has other verbs there or does not
// keep to the vocabulary: english and chinese are structs of the same type.
func Texts(t testing.TB, english, chinese any) {
	t.Helper()
	en, zh := reflect.ValueOf(english), reflect.ValueOf(chinese)
	for i := range en.NumField() {
		a, b := en.Field(i).String(), zh.Field(i).String()
		if a == "" || b == "" || strings.Count(a, "%s") != strings.Count(b, "%s") {
			t.Errorf("%s: %q and %q", en.Type().Field(i).Name, a, b)
		}
		for _, fault := range reason.Faults(a, b) {
			t.Errorf("%s: %q: %s", en.Type().Field(i).Name, b, fault)
		}
	}
}
