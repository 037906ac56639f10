package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
)

// han tells whether a text has Chinese in it.
func han(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// Every command takes --lang, CSTEST_LANG and the locale of the environment, and
// says in that language what it refuses.
func TestEveryCommandSpeaksEitherLanguage(t *testing.T) {
	t.Chdir(t.TempDir())
	root := newRootCmd(streams{lang: newLanguage()})
	walked := 0
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		if !cmd.Runnable() {
			return
		}
		walked++
		path := strings.Fields(cmd.CommandPath())[1:]
		refused := append(append([]string{}, path...), "--no-such-flag")
		if s := says(t, "", refused...); han(s.err) || !strings.Contains(s.err, "unknown flag: --no-such-flag") {
			t.Errorf("%q: %q", path, s.err)
		}
		t.Setenv("LANG", "zh_CN.UTF-8")
		if s := says(t, "", refused...); !strings.Contains(s.err, "没有选项 --no-such-flag") {
			t.Errorf("%q with LANG: %q", path, s.err)
		}
		if s := says(t, "", append(refused, "--lang", "en")...); !strings.Contains(s.err, "没有选项") { // what comes after it was not read
			t.Errorf("%q: %q", path, s.err)
		}
		if s := says(t, "", append([]string{"--lang", "en"}, refused...)...); han(s.err) {
			t.Errorf("%q with --lang en: %q", path, s.err)
		}
		t.Setenv("LANG", "")
	}
	walk(root)
	if walked < 20 {
		t.Errorf("%d commands walked", walked)
	}
}

func TestLanguageOfTheEnvironment(t *testing.T) {
	for _, tt := range []struct {
		all, messages, lang string
		want                reason.Lang
	}{
		{"", "", "", reason.English},
		{"", "", "zh_CN.UTF-8", reason.Chinese},
		{"", "", "zh-TW", reason.Chinese},
		{"C.UTF-8", "zh_CN", "zh_CN", reason.English},
		{"", "zh_CN", "en_US", reason.Chinese},
		{"", "", "de_DE.UTF-8", reason.English},
	} {
		env := map[string]string{"LC_ALL": tt.all, "LC_MESSAGES": tt.messages, "LANG": tt.lang}
		if got := environmentLanguage(func(name string) string { return env[name] }); got != tt.want {
			t.Errorf("%v: %s, want %s", env, got, tt.want)
		}
	}
}

// What each command prints for a person is Chinese where that is asked for, by the
// flag and by the environment alike.
func TestCommandsPrintChinese(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"bad.yaml":  "version: 1\nname: x\ntarget: {bundled: {}}\nload: {stages: [{name: a, for: 10, starts: 5/s}]}\nconversations: [{name: c, turns: [{say: a}]}]\nsla: {latnecy: {p99: 1s}}\n",
		"warn.yaml": "version: 1\nname: x\ntarget: {url: 'http://127.0.0.1:1', tls: null, timeout: 9s}\nload: {drain: 1s, stages: [{name: a, for: 10s, starts: 5/s}]}\nconversations: [{name: c, turns: [{say: a}]}]\nsla: {availability: 99%}\n",
		"chat.csv":  "session_id,ts,role,text\n1,2026-01-01 10:00:00,user,你好\n1,later,user,x\n",
		"chat.json": `[{"messages":[{"role":"user","content":"你好"}]},{"messages":[]}]`,
		"no.json":   `[{"role":1}]`,
	} {
		if err := os.WriteFile(filepath.Clean(name), []byte(strings.Replace(text, ", tls: null", "", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"validate bad.yaml", []string{`bad.yaml:4:32: load.stages[0].for: "10" 没有单位：请写成例如 10ms 或 10s`, `sla.latnecy: 不是这里的字段；是否指 "latency"？`}},
		{"run bad.yaml --no-tui", []string{`"10" 没有单位`}},
		{"validate warn.yaml", []string{"警告：warn.yaml:4:15: load.drain: 1s 小于 target.timeout（9s）", "：有效", "八成把握通过"}},
		{"validate --set load.stages[b].for=1s warn.yaml", []string{"没有 [b]；共有 1 个：a"}},
		{"audit", []string{"说法", "0 同步，短连接", "不可能"}},
		{"audit --users 3", []string{"audit 须同时给出"}},
		{"learn chat.csv", []string{"读取       2 行", "没有可读的时间，第一处是第 2 行", "保真度", "平均每个有"}},
		{"learn no.json", []string{"no.json: 哪一列是 conversation？"}},
		{"import chat.json", []string{"# 2 个会话，来自 chat.json；1 个没有用户的消息"}},
		{"import chat.csv", []string{"警告：有 1 行没有可读的时间，第一处是第 2 行"}},
		{"serve reference-server --list-knobs", []string{"参数", "含义"}},
		{"serve reference-server", []string{"reference-server 需要 --llm URL"}},
		{"scenarios", []string{"可作为起点"}},
		{"scenarios show smok", []string{`没有内置场景 "smok"；是否指 "smoke"？`}},
		{"run smok", []string{`没有文件也没有内置场景 "smok"；是否指 "smoke"？`}},
		{"run warm.yaml", []string{`是否指 "warn.yaml"？`}},
		{"run no.json/x --lang zh", []string{"not a directory"}},
		{"rn smoke", []string{`"cstest" 没有命令 "rn"；是否指 "run"？`}},
		{"run a b", []string{"至多可有 1 个位置参数，而给出了 2 个"}},
		{"run smoke -d 3", []string{`--duration "3"："3" 没有单位`}},
		{"run smoke --lnag", []string{"没有选项 --lnag；是否指 --lang？"}},
		{"run smoke --shard env --no-tui", []string{"--shard env：没有引擎说明这是哪个分片"}},
		{"run smoke --start-at never", []string{"请写时刻"}},
		{"compare a", []string{"compare 需要两个结果"}},
	} {
		args := strings.Fields(tt.line)
		t.Setenv("LANG", "")
		t.Setenv("CSTEST_LANG", "")
		if err := os.Unsetenv("CSTEST_LANG"); err != nil {
			t.Fatal(err)
		}
		byFlag := says(t, "", append([]string{"--lang", "zh"}, args...)...)
		t.Setenv("LANG", "zh_CN.UTF-8")
		byEnvironment := says(t, "", args...)
		if byFlag != byEnvironment {
			t.Errorf("%s: --lang says\n%+v\nand LANG\n%+v", tt.line, byFlag, byEnvironment)
		}
		for _, want := range tt.want {
			if got := byFlag.out + byFlag.err; !strings.Contains(got, want) {
				t.Errorf("%s says no %q:\n%s", tt.line, want, got)
			}
		}
	}
}
