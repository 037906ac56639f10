package reason

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sayers are the functions whose first string literal is a phrase, by the folder
// they are called in; "" is every folder.
var sayers = map[string][]string{
	"":              {"reason.Say", "reason.Errorf"},
	"../scenario":   {"c.bad", "c.warn", "d.fail", "fail", "t.problem", "s.source.problem", "c.source.problem", "note"},
	"../template":   {"problem"},
	"../unit":       {"errorf"},
	"../cmd/cstest": {"usagef", "s.say", "j.s.say", "w.say", "say"},
	"../learn":      {"b.say"},
	"../reason":     {"Errorf"},
}

// said is a phrase as it stands in the source.
type said struct{ at, format string }

// phrasesOfTheSource are the formats that the source gives to sayers, and every
// string that stands in it at all.
func phrasesOfTheSource(t *testing.T) (list []said, all map[string]bool) {
	t.Helper()
	all = map[string]bool{}
	fset := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == "results"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "../reason/phrases"):
			return nil
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		known := append(slices.Clone(sayers[""]), sayers[filepath.Dir(path)]...)
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				text, _ := strconv.Unquote(l.Value)
				all[text] = true
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || !slices.Contains(known, name(call.Fun)) {
				return true
			}
			for _, a := range call.Args[:min(3, len(call.Args))] {
				if l, ok := a.(*ast.BasicLit); ok && l.Kind == token.STRING {
					if text, _ := strconv.Unquote(l.Value); !isField(text) {
						list = append(list, said{fset.Position(l.Pos()).String(), text})
						break
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, all
}

// isField tells the field of a scenario, which stands before the format.
func isField(text string) bool {
	return regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)*\.?$`).MatchString(text) && !strings.Contains(text, " ") && phrases()[text] == ""
}

func name(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.SelectorExpr:
		return name(f.X) + "." + f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

var verb = regexp.MustCompile(`%[+#]?(\[\d\])?[0-9.]*[a-zA-Z%]`)

// needsChinese tells whether words are left of a format without its verbs.
func needsChinese(format string) bool {
	return regexp.MustCompile(`[A-Za-z]{2}`).MatchString(verb.ReplaceAllString(format, "")) || strings.Contains(format, ": %")
}

// Every phrase that the source says has its Chinese, and the table has no other.
func TestEveryPhraseHasItsChinese(t *testing.T) {
	list, all := phrasesOfTheSource(t)
	for _, s := range list {
		if _, ok := phrases()[s.format]; !ok && needsChinese(s.format) && !regexp.MustCompile(`^[%a-z0-9:${}. ]*$`).MatchString(s.format) {
			t.Errorf("%s: %q has no Chinese", s.at, s.format)
		}
	}
	if len(list) < 400 {
		t.Errorf("%d phrases found, too few to have looked", len(list))
	}
	for format := range phrases() {
		if !all[format] {
			t.Errorf("nobody says %q", format)
		}
	}
}

func TestPhrasesKeepToTheirArgumentsAndTheVocabulary(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range phraseTable() {
		if seen[r.en] {
			t.Errorf("%q stands twice", r.en)
		}
		seen[r.en] = true
		if en, zh := verbs(r.en), verbs(r.zh); !slices.Equal(en, zh) {
			t.Errorf("%q has %q, its Chinese %q", r.en, en, zh)
		}
		if r.en == planHead {
			continue // its TARGET is what an objective asks, not the server
		}
		for _, fault := range Faults(withoutNames(r.en, r.zh), withoutNames(r.zh, r.zh)) {
			t.Errorf("%q: %q: %s", r.en, r.zh, fault)
		}
	}
}

const planHead = "OBJECTIVE\tKIND\tTARGET\tNEEDS AT LEAST\tWILL JUDGE\tPASSES 4 IN 5\tFAILS 4 IN 5"

// withoutNames is a text without the words that stand in the Chinese as they are:
// fields, flags, examples.
func withoutNames(text, zh string) string {
	text = quotedCode.ReplaceAllString(verb.ReplaceAllString(text, ""), "")
	return regexp.MustCompile(`[A-Za-z_]+`).ReplaceAllStringFunc(text, func(word string) string {
		if strings.Contains(zh, word) {
			return "x"
		}
		return word
	})
}

// quotedCode is what is written as it is in both languages.
var quotedCode = regexp.MustCompile("`[^`]*`|\\$?\\{[^}]*\\}|[a-z_]+(\\.[a-z_]+)+|--[a-z-]+|\\b[a-z_]+: ")

// verbs are those of a format in the order of its arguments.
func verbs(format string) []string {
	var out []string
	next := 0
	for _, v := range verb.FindAllString(format, -1) {
		if v == "%%" {
			continue
		}
		if i := strings.Index(v, "["); i >= 0 {
			next, v = int(v[i+1]-'1'), v[:i]+v[i+3:]
		}
		for len(out) <= next {
			out = append(out, "")
		}
		out[next] = v
		next++
	}
	return out
}

type ownError struct{ format string }

func (e ownError) Error() string                       { return fmt.Sprintf(e.format, "7") }
func (e ownError) Phrase() (format string, args []any) { return e.format, []any{"7"} }

func TestPhrasesAreSaidInEitherLanguage(t *testing.T) {
	within := Errorf("must be above 0s")
	unit := ownError{"%q is longer than 1000h"}
	plain := errors.New("disk full")
	for _, tt := range []struct {
		err    error
		en, zh string
	}{
		{within, "must be above 0s", "须大于 0s"},
		{fmt.Errorf("x.yaml: %w", within), "x.yaml: must be above 0s", "x.yaml: 须大于 0s"},
		{Errorf("environment variable %s: %w", "A", unit), `environment variable A: "7" is longer than 1000h`, `环境变量 A：""7"" 超过 1000h`},
		{errors.Join(within, plain), "must be above 0s\ndisk full", "须大于 0s\ndisk full"},
		{Errorf("unknown command %q for %q%s", "rn", "cstest", Say("; did you mean %q?", "run")), `unknown command "rn" for "cstest"; did you mean "run"?`, `"cstest" 没有命令 "rn"；是否指 "run"？`},
		{Err(New(Warning, New(NoOverrides))), "warning: overrides: none", "警告：覆盖项：无"},
		{Errorf("warning: %s", plain), "warning: disk full", "警告：disk full"},
		{fmt.Errorf("said %w before", within), "said must be above 0s before", "said must be above 0s before"},
	} {
		if en, zh := TextOf(tt.err, English), TextOf(tt.err, Chinese); en != tt.en || !strings.EqualFold(zh, strings.ReplaceAll(tt.zh, `""7""`, `"7"`)) {
			t.Errorf("%q, %q; want %q, %q", en, zh, tt.en, tt.zh)
		}
	}
	if !errors.Is(Errorf("row %d: %w", 3, plain), plain) {
		t.Error("what %w wraps is lost")
	}
	one, other := Say("a list"), Say("a list")
	if one != other || Say("a list") == (Phrase{}) {
		t.Error("phrases do not compare")
	}
	if got := Say("a list").Map(strings.ToUpper); got.String() != "A LIST" || got.Text(Chinese) != "列表" {
		t.Errorf("%q", got)
	}
}
