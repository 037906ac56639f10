package report

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

func han(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// Every message of the catalogue has a Chinese form that says all that differs,
// and is recognised as itself.
func TestEveryMessageIsTranslated(t *testing.T) {
	translator := NewTranslator(Chinese)
	seen := map[string]bool{}
	for _, m := range messages() {
		if seen[m.en] {
			t.Errorf("%q is there twice", m.en)
		}
		seen[m.en] = true
		holes := regexp.MustCompile(`%[sv]`).FindAllString(m.en, -1)
		if !han(m.zh) {
			t.Errorf("%q has no Chinese: %q", m.en, m.zh)
		}
		en, zh := m.en, m.zh
		for i, hole := range holes {
			value, said := fmt.Sprintf("v%dv", i+1), fmt.Sprintf("v%dv", i+1)
			if hole == "%v" {
				value, said = "fail", "不通过"
			}
			if !strings.Contains(zh, "%"+strconv.Itoa(i+1)) {
				t.Errorf("%q does not say %%%d: %q", m.en, i+1, m.zh)
			}
			en = strings.Replace(en, hole, value, 1)
			zh = strings.ReplaceAll(zh, "%"+strconv.Itoa(i+1), said)
		}
		if strings.Contains(m.zh, "%"+strconv.Itoa(len(holes)+1)) {
			t.Errorf("%q has %d holes: %q", m.en, len(holes), m.zh)
		}
		if got := translator.Text(en); got != zh {
			t.Errorf("%q became\n%q, want\n%q", en, got, zh)
		}
	}
}

// composed are literals of which messages are put together, each in the
// catalogue as a part of a whole.
var composed = []string{"%s: %s %s in %s", "%s; %s; %s", "P%s %s: %s: %s", "; %s x %s", "%s of %s starts were dropped by the generator, more than %s%s", "this run: %s %s %s, %s", "%s; %s (the gate)", "%s; P%s of answers %s", "; no answers"}

// What the judge can say is found in its source: each text must be in the catalogue.
func TestTheCatalogueHasAllThatTheJudgeSays(t *testing.T) {
	verbs := regexp.MustCompile(`%[.0-9]*[a-z]`)
	plain := func(s string) string {
		return strings.ReplaceAll(verbs.ReplaceAllString(strings.ReplaceAll(s, "%%", "\x00"), "\x01"), "\x00", "%")
	}
	var catalogue []string
	for _, m := range messages() {
		catalogue = append(catalogue, plain(strings.ReplaceAll(m.en, " % ", " %% ")))
	}
	found := 0
	for _, place := range []struct{ files, functions string }{
		{"../sla/evaluate.go", ".*"}, {"../sla/generator.go", ".*"}, {"../sla/share.go", ".*"}, {"../sla/seconds.go", ".*"}, {"../sla/storm.go", ".*"},
		{"../trial/incident.go", "look"}, {"../trial/identity.go", "incident|warning"}, {"../trial/watch.go", "add|cut"}, {"../trial/trial.go", "drive|gather"},
		{"../cmd/cstest/about.go", "damage"},
	} {
		for at, text := range literals(t, place.files, place.functions) {
			if slices.Contains(composed, text) {
				continue
			}
			found++
			if !slices.ContainsFunc(catalogue, func(m string) bool { return strings.Contains(m, strings.TrimRight(plain(text), " ")) }) {
				t.Errorf("%s: %q is not in the catalogue of translations", at, text)
			}
		}
	}
	if found < 70 {
		t.Errorf("only %d texts found", found)
	}
}

// literals are the strings with a space in them in some functions of a file.
func literals(t *testing.T, file, functions string) map[string]string {
	t.Helper()
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, filepath.FromSlash(file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	wanted := regexp.MustCompile("^(" + functions + ")$")
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !wanted.MatchString(f.Name.Name) {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if s, err := strconv.Unquote(l.Value); err == nil && strings.Contains(strings.Trim(s, ": "), " ") {
					out[fset.Position(l.Pos()).String()] = s
				}
			}
			return true
		})
	}
	return out
}

func TestTranslatorSaysWholeReasons(t *testing.T) {
	translator := NewTranslator(Chinese)
	for in, want := range map[string]string{
		"latency-p99: P99 500 ms: fail: 4.76 % failed; P99 of answers 100 ms; this run: 4.76 % > 1 %, not met; inference: fail, at 95 % confidence": "latency-p99:P99 500 ms:不通过:4.76 % 失败;已回答的 P99 为 100 ms;本次:4.76 % > 1 %,未达到;推断:不通过,置信度 95 %",
		"availability: pass: 3 of 1,000 turns not answered; this run: 0.3 % ≤ 1 %, met (the gate)":                                                  "availability:通过:1,000 轮中 3 轮未得到回答;本次:0.3 % ≤ 1 %,达到(以此为准)",
		"inference: inconclusive at 95 % confidence, about 8,210 would decide":                                                                      "推断:置信度 95 % 下证据不足,约需 8,210 轮才能判定",
		"the load ended before its plan: guard.abort: at least 50% of turns bad for 2s, at 4s":                                                      "压测未按计划走完:guard.abort:在 4s 时,至少 50% 的轮次已连续 2s 不合格",
		"20 of 10,020 starts were dropped by the generator, more than 0.1 %; 15 x out of descriptors or ports; 5 x start beyond guard.max_turns":    "10,020 次会话到达中有 20 次被压测机丢弃,超过 0.1 %;15 次因描述符或端口用尽;5 次超出 guard.max_turns",
		"counts are not conserved: turns = lags does not hold: 7 against 9":                                                                         "计数不守恒:轮次 = 滞后个数 不成立:7 对 9",
		"seconds: fail: 3 of 99 s under 95 % answered, 1 allowed (scaled; 36 per hour)":                                                             "seconds:不通过:99 秒中 3 秒应答率低于 95 %,允许 1 秒(折算;每小时 36 秒)",
		"mock LLM: GET /facts: 500; 100 %; storm edges are the planned ones and LLM calls are not known":                                            "模拟 LLM:GET /facts: 500; 100 %;风暴的起止按计划计,LLM 调用次数未知",
		"a server's own words %1 are left alone":                                                                                                    "a server's own words %1 are left alone",
		"":                                                                                                                                          "",
	} {
		if got := translator.Text(in); got != want {
			t.Errorf("%q became\n%q, want\n%q", in, got, want)
		}
		if got := NewTranslator(English).Text(in); got != in {
			t.Errorf("into English %q became %q", in, got)
		}
	}
}

// Every rendering says reasons and warnings in Chinese, and result.json in English.
func TestRenderingsTranslateReasons(t *testing.T) {
	d := saleDocument(t)
	o := &d.Objectives[0]
	o.Verdict = "fail"
	o.Reason = "P95 300 ms: fail: 7 % failed; P95 of answers 200 ms; this run: 7 % > 5 %, not met; inference: fail, at 95 % confidence"
	d.Reasons = []string{o.Name + ": " + o.Reason}
	d.Warnings = []string{"7 turns got an unexpected 4xx: the scenario may be wrong"}
	for name, render := range map[string]func(*bytes.Buffer) error{
		"text":     func(b *bytes.Buffer) error { return WriteText(d, b, TextOptions{Lang: Chinese}) },
		"markdown": func(b *bytes.Buffer) error { return WriteMarkdown(d, b, Chinese) },
		"html":     func(b *bytes.Buffer) error { return WriteHTML(d, b, Chinese) },
	} {
		var b bytes.Buffer
		if err := render(&b); err != nil {
			t.Fatal(err)
		}
		out := strings.NewReplacer("\u00a0", " ", "&#58;", ":", "\n    ", "").Replace(b.String())
		for _, want := range []string{"7 轮得到意外的 4xx:场景可能写错了", "推断:"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
		for _, english := range []string{"inference:", "this run:", "turns got an unexpected"} {
			if strings.Contains(out, english) {
				t.Errorf("%s says %q", name, english)
			}
		}
	}
	if d.Warnings[0] != "7 turns got an unexpected 4xx: the scenario may be wrong" {
		t.Error("rendering changed the Document")
	}
}
