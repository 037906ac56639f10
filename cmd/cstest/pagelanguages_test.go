package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenarios"
)

// blockComment is one in a shell, YAML or Go block: the rest of a line behind a blank,
// or a line of its own.
var blockComment = regexp.MustCompile(`(^|\s+)(#|//)(\s.*)?$`)

// said is what a block says in any language. Comments are translated and may be;
// of a console what was typed and the exit codes are compared, for what a program
// prints depends on its language; a picture is one, whatever its words.
func (b block) said() string {
	var lines []string
	for _, line := range b.lines {
		switch b.language {
		case "", "text":
			continue
		case "console":
			if !strings.HasPrefix(line, "$ ") && !strings.HasPrefix(line, "# exit ") {
				continue
			}
		default:
			line = blockComment.ReplaceAllString(line, "")
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return b.language + "\n" + strings.Join(lines, "\n")
}

// outline says how a page is built: the depths of its headings, and how many rows
// of tables it has.
func (p *page) outline() (depths []string, rows int) {
	for _, h := range p.headings {
		depths = append(depths, h[:strings.IndexByte(h, ' ')])
	}
	return depths, len(p.rows)
}

// A page that exists in both languages shows the same commands and files in both,
// has as many headings and rows, and leads to the other with its first lines.
func TestPagesAgreeInBothLanguages(t *testing.T) {
	chinese, err := filepath.Glob("../../docs/*.zh-CN.md")
	if err != nil || len(chinese) < 10 {
		t.Fatalf("%d Chinese pages (%v)", len(chinese), err)
	}
	for _, path := range append(chinese, "../../README.zh-CN.md", "../../docs/observability/README.zh-CN.md") {
		t.Run(strings.TrimPrefix(path, "../../"), func(t *testing.T) {
			other := strings.TrimSuffix(path, ".zh-CN.md") + ".md"
			zh, en := readPage(t, path), readPage(t, other)
			for from, to := range map[*page]string{zh: filepath.Base(other), en: filepath.Base(path)} {
				if !strings.Contains(strings.Join(from.prose[:5], "\n"), "]("+to+")") {
					t.Errorf("%s does not lead to %s in its first lines", from.path, to)
				}
			}
			zhDepths, zhRows := zh.outline()
			enDepths, enRows := en.outline()
			if !slices.Equal(zhDepths, enDepths) {
				t.Errorf("headings in Chinese\n%s\nand in English\n%s", strings.Join(zh.headings, "\n"), strings.Join(en.headings, "\n"))
			}
			if zhRows != enRows {
				t.Errorf("%d rows of tables in Chinese, %d in English", zhRows, enRows)
			}
			if len(zh.blocks) != len(en.blocks) {
				t.Fatalf("%d blocks in Chinese, %d in English", len(zh.blocks), len(en.blocks))
			}
			for i := range zh.blocks {
				if a, b := zh.blocks[i].said(), en.blocks[i].said(); a != b {
					t.Errorf("block %d is in Chinese\n%s\nand in English\n%s", i+1, a, b)
				}
			}
		})
	}
}

// Chinese pages keep to the vocabulary, as messages do, and to Chinese punctuation,
// outside of code and links.
func TestChinesePagesKeepToTheVocabulary(t *testing.T) {
	chinese, err := filepath.Glob("../../docs/*.zh-CN.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\([^)\s]+\)|\*`)
	emphasis := regexp.MustCompile(`\*+[^*]*[^*]\*+[\p{L}\p{N}]?`)
	for _, path := range append(chinese, "../../README.zh-CN.md", "../../docs/observability/README.zh-CN.md") {
		for _, line := range readPage(t, path).prose {
			// Markdown takes stars between punctuation and a letter for plain ones.
			for _, span := range emphasis.FindAllString(strings.TrimPrefix(codeSpan.ReplaceAllString(line, "`"), "* "), -1) {
				if regexp.MustCompile(`[^*\s\p{L}\p{N}]\*+[\p{L}\p{N}]$`).MatchString(span) {
					t.Errorf("%s: no emphasis without a blank behind %s", path, span)
				}
			}
			text := link.ReplaceAllString(codeSpan.ReplaceAllString(line, "`"), "")
			text = strings.ReplaceAll(text, "系统繁忙,请稍后再试", "") // the article's own canned line, as it wrote it
			for _, fault := range reason.Faults("", text) {
				t.Errorf("%s: %s: %s", path, fault, line)
			}
		}
	}
}

// Chinese pages lead to Chinese pages where there are some, but for what programs
// wrote into the English one alone, which they call 英文页 or 表.
func TestChinesePagesLeadToChinesePages(t *testing.T) {
	chinese, err := filepath.Glob("../../docs/*.zh-CN.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\[([^\]]*)\]\(([a-z-]+)\.md[)#]`)
	for _, path := range chinese {
		for _, line := range readPage(t, path).prose[5:] {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				if slices.Contains(chinese, "../../docs/"+m[2]+".zh-CN.md") && !strings.Contains(m[1], "英文页") && m[1] != "表" {
					t.Errorf("%s: [%s] leads to %s.md", path, m[1], m[2])
				}
			}
		}
	}
}

// The glossary calls things as the vocabulary does, of which every message is made.
func TestGlossaryKeepsToTheVocabulary(t *testing.T) {
	cells := func(line string) []string {
		parts := strings.Split(strings.Trim(line, "| "), " | ")
		return append(parts, "", "", "")[:3]
	}
	chinese := map[string]string{}
	for _, term := range reason.Vocabulary() {
		chinese[term.English] = term.Chinese
	}
	known := 0
	var en, zh []string
	for _, row := range readPage(t, "../../docs/glossary.md").rows {
		c := cells(row)
		en = append(en, fmt.Sprintf("%s %s", c[0], c[1]))
		want, ok := chinese[c[0]]
		if !ok {
			continue
		}
		known++
		if c[1] != want {
			t.Errorf("%s is %s in the glossary and %s in the vocabulary", c[0], c[1], want)
		}
	}
	if known < 30 {
		t.Errorf("%d terms of the vocabulary are in the glossary", known)
	}
	for _, row := range readPage(t, "../../docs/glossary.zh-CN.md").rows {
		c := cells(row)
		zh = append(zh, fmt.Sprintf("%s %s", c[1], c[0]))
	}
	for i := range en {
		if i < len(zh) && en[i] != zh[i] && !strings.HasPrefix(en[i], "term ") && !strings.HasPrefix(en[i], "--") {
			t.Errorf("%q in English, %q in Chinese", en[i], zh[i])
		}
	}
}

// The READMEs count the built-in scenarios as they are.
func TestReadmeCountsScenarios(t *testing.T) {
	for path, format := range map[string]string{"../../README.md": "[%d built in](", "../../README.zh-CN.md": "[自带 %d 个]("} {
		if want := fmt.Sprintf(format, len(scenarios.Names())); !strings.Contains(readFile(t, path), want) {
			t.Errorf("%s does not say %s", path, want)
		}
	}
}

// docs/scenarios says of each scenario what its own header says.
func TestScenariosPagesSayWhatTheHeadersSay(t *testing.T) {
	en, zh := readPage(t, "../../docs/scenarios.md").prose, readPage(t, "../../docs/scenarios.zh-CN.md").prose
	for _, name := range scenarios.Names() {
		h := scenarios.HeaderOf(name)
		for _, fault := range reason.Faults(h.Proves, h.ProvesZh) {
			t.Errorf("scenarios/%s.yaml: %s: %s", name, fault, h.ProvesZh)
		}
		if want := "- `" + name + "`: " + h.Proves; !slices.ContainsFunc(en, func(l string) bool { return strings.HasPrefix(l, want) }) {
			t.Errorf("docs/scenarios.md does not say %q", want)
		}
		if want := "- `" + name + "`：" + h.ProvesZh; !slices.ContainsFunc(zh, func(l string) bool { return strings.HasPrefix(l, want) }) {
			t.Errorf("docs/scenarios.zh-CN.md does not say %q", want)
		}
	}
}
