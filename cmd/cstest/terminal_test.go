package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/visible"
)

// steering is what others write to steer a terminal: OSC, CSI, C1 as a rune and
// as a byte, DEL, line editing, and the direction of text.
const steering = "PWN\x1b]0;x\x07\x1b[2J\u009b31m\x9d\x7f\r\b\v\u202e\u2066\ufeff\u2028."

func TestTerminalPassesOnlyWhatDoesNotSteer(t *testing.T) {
	for _, c := range []struct {
		in, want string
		colours  bool
	}{
		{in: "plain\n\ttext", want: "plain\n\ttext"},
		{in: "客服 👨‍👩 \u00a0é", want: "客服 👨‍👩 \u00a0é"},
		{in: "\x1b[31mred\x1b[0m", want: "^[[31mred^[[0m"},
		{in: "\x1b[31mred\x1b[0m", want: "\x1b[31mred\x1b[0m", colours: true},
		{in: "\x1b[1;31m\x1b[2J\x1b]0;x\x07\x1b[", want: "\x1b[1;31m^[[2J^[]0;x^G^[[", colours: true},
		{in: "\x1b[1;1;1;1;1;1;1;1;1;1m", want: "^[[1;1;1;1;1;1;1;1;1;1m", colours: true},
		{in: "\x9b1m\xe5\xae", want: "\ufffd1m\ufffd\ufffd"},
		{in: steering, want: "PWN^[]0;x^G^[[2J^[31m\ufffd^?^M^H^K<U+202E><U+2066><U+FEFF><U+2028>."},
	} {
		for size := 1; size <= len(c.in); size++ { // in pieces of any size
			var out bytes.Buffer
			w := &terminal{out: &out, colours: c.colours}
			for rest := c.in; rest != ""; {
				n := min(size, len(rest))
				if k, err := io.WriteString(w, rest[:n]); k != n || err != nil {
					t.Fatal(k, err)
				}
				rest = rest[n:]
			}
			if err := w.flush(); err != nil || out.String() != c.want {
				t.Errorf("%q in pieces of %d became %q, want %q (%v)", c.in, size, out.String(), c.want, err)
			}
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestTerminalTellsOfAWriteThatFailed(t *testing.T) {
	for _, text := range []string{"a", "\x1b"} {
		if n, err := io.WriteString(&terminal{out: full{}}, text); n != 0 || err == nil {
			t.Errorf("%q: %d, %v", text, n, err)
		}
	}
}

// said is what one command wrote.
type said struct{ out, err string }

// says runs a command in this process.
func says(t *testing.T, stdin string, args ...string) said {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	run(ctx, args, strings.NewReader(stdin), &out, &errs)
	if ctx.Err() != nil {
		t.Errorf("%q did not end", args)
	}
	return said{out.String(), errs.String()}
}

// steersNot fails where what was said holds what a terminal obeys.
func (s said) steersNot(t *testing.T, args []string) {
	t.Helper()
	for _, text := range []string{s.out, s.err} {
		if !utf8.ValidString(text) {
			t.Errorf("%q wrote what is not UTF-8: %q", args, text)
		}
		for _, r := range text {
			if r != '\n' && r != '\t' && string(visible.Append(nil, r)) != string(r) {
				t.Fatalf("%q wrote U+%04X in %q", args, r, text)
			}
		}
	}
}

// commands are the paths of all commands that do something, hidden ones too.
func commands(cmd *cobra.Command) (paths [][]string) {
	if cmd.Runnable() {
		paths = append(paths, strings.Fields(cmd.CommandPath())[1:])
	}
	for _, sub := range cmd.Commands() {
		paths = append(paths, commands(sub)...)
	}
	return paths
}

// Every command is given a hostile word wherever it takes one: an argument, an
// unknown flag, every flag it has, and their variables of the environment.
func TestNoCommandRepeatsWhatSteersATerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	root := newRootCmd(streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
	repeated := 0
	check := func(args ...string) {
		s := says(t, steering, args...)
		s.steersNot(t, args)
		if strings.Contains(s.out+s.err, "PWN") {
			repeated++
		}
	}
	for _, path := range commands(root) {
		cmd, _, err := root.Find(path)
		if err != nil {
			t.Fatal(err)
		}
		check(append(path, steering)...)
		check(append(path, "--"+steering)...)
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" || f.Value.Type() == "bool" && f.Name == "exit-with-stdin" {
				return
			}
			check(append(path, "--"+f.Name+"="+steering, steering+".yaml")...)
			t.Setenv("CSTEST_"+strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")), strings.ReplaceAll(steering, "\x00", ""))
			check(append(path, steering+".yaml")...)
			if err := os.Unsetenv("CSTEST_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))); err != nil {
				t.Fatal(err)
			}
		})
	}
	if repeated < 200 {
		t.Errorf("%d invocations showed the word, too few to have tested anything", repeated)
	}
}

// hostile is a server that writes what it is asked to, byte by byte.
func hostile(t *testing.T, answer func(n int, path string) string) (url string) {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	t.Cleanup(func() { _ = l.Close() })
	turns := make(chan int, 1)
	turns <- 0
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // the end of the test
			}
			go func(c net.Conn) {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					q, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, q.Body)
					n := <-turns + 1
					turns <- n
					if _, err := io.WriteString(c, answer(n, q.URL.Path)); err != nil {
						return
					}
				}
			}(c)
		}
	}()
	return "http://" + l.Addr().String()
}

// raw is an HTTP answer with a hostile word wherever one fits.
func raw(status int, contentType, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nX-Session: %s\r\nServer: %s\r\nContent-Length: %d\r\n\r\n%s",
		status, polite, contentType, polite, polite, len(body), body)
}

// word is steering as it may stand in a line of HTTP.
var word = strings.NewReplacer("\r", "", "\n", "").Replace(steering)

// polite is what of word a client takes in a header: C1 and direction stay.
var polite = strings.Map(func(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}, word)

// asJSON is steering as it may stand in JSON: spelled as escapes.
const asJSON = `PWN\u001b]0;x\u0007\u009b2J\u007f\r\b\u202e\u2066\ufeff\u2028.`

// answers cycles through the ways in which a server may say something; the
// first, which the preflight meets, is good.
func answers(n int, path string) string {
	if strings.HasPrefix(path, "/bad") {
		n++ // the preflight meets an error
	}
	switch n % 9 {
	case 8:
		return strings.ReplaceAll(raw(502, "text/html", "<title>"+steering+"</title>"), polite, word)
	case 2:
		return raw(500, "application/json", `{"error":{"message":"`+asJSON+`","type":"`+asJSON+`","code":"`+asJSON+`"}}`)
	case 3:
		return raw(503, "text/plain; charset="+word, steering)
	case 4:
		return raw(200, "application/json", `{"reply":"`+steering+`"}`)
	case 5:
		return raw(200, "text/html", "<title>"+steering+"</title>")
	case 6:
		return raw(429, "application/json", `{"error":"`+asJSON+`","retry_after":"`+asJSON+`"}`)
	case 7:
		return "HTTP/1.1 " + steering + "\r\n\r\n"
	}
	return raw(200, "application/json", `{"reply":"`+asJSON+`","id":"`+asJSON+`","src":"`+asJSON+`"}`)
}

// hostileScenario is a scenario of somebody who means harm.
func hostileScenario(t *testing.T, url, at string) string {
	t.Helper()
	path := write(t, `version: 1
name: hostile
description: "`+asJSON+`"
seed: 5
target:
  url: `+url+`
  api: custom
  request: {path: `+at+`, body: {text: "${turn.text}"}}
  response: {answer: reply, dialog_id: id, tier: {from: src, map: {"`+asJSON+`": faq, model: llm}}}
  timeout: 2s
load: {stages: [{name: steady, for: 1s, starts: 20/s}], think: 0s}
conversations:
  - {name: talk, turns: [{say: "你好 ${people.name} ${people.text} `+asJSON+`"}, {say: 再见}]}
sla: {latency: {p90: 5s}, availability: 50%}
data: {people: {csv: people.csv}}
`)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "people.csv"), []byte("name,text\n\""+strings.ToValidUTF8(steering, "")+"\",a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// What servers, files and tables say is shown by every command that shows any of
// it, and steers nothing. A command that is not in the table fails the test.
func TestNoCommandShowsWhatSteersATerminal(t *testing.T) {
	t.Setenv(asCstest, "1") // bundled servers are children of this binary
	t.Setenv("GITHUB_STEP_SUMMARY", "")
	url := hostile(t, answers)
	good := func() string { return hostileScenario(t, hostile(t, answers), "/talk") } // its first turn is a good one
	bad := hostileScenario(t, url, "/bad")
	broken := write(t, "version: 1\n\"k"+asJSON+"\": 1\nname: \""+asJSON+"\"\ntarget: {url: \""+asJSON+"\", api: \""+asJSON+"\"}\nload: "+asJSON+"\nconversations: [{name: \""+asJSON+"\", turns: [{say: \"${"+asJSON+"}\"}]}]\n")
	bytesIn := write(t, "version: 1\nname: \"PWN\x1b[31m\"\n")
	list := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	chats := list("chats-\x1b[31m.json", `[{"messages":[{"role":"user","content":"`+asJSON+`"}]},{"messages":[{"role":"user","content":"\u2028 b"}]}]`)
	noChats := list("no-\x1b[31m.json", `[{"`+asJSON+`":[{"role":"`+asJSON+`"}]}]`)
	hlog := list("log-\x1b[31m.hlog", "#[Histogram log format version 1.3]\nTag="+word+",1,2,3,"+word+"\n")
	results := t.TempDir()
	for _, name := range []string{"a", "b"} {
		says(t, "", "run", good(), "--no-tui", "--results-dir", filepath.Join(results, name)).steersNot(t, []string{"run"})
	}
	a, b := filepath.Join(results, "a"), filepath.Join(results, "b")
	doc, err := os.ReadFile(filepath.Join(b, result.DocumentFile))
	if err != nil {
		t.Fatal(err)
	}
	doc = bytes.ReplaceAll(doc, []byte(`"hostile"`), []byte(`"`+asJSON+`"`))
	if err := os.WriteFile(filepath.Join(b, result.DocumentFile), doc, 0o644); err != nil {
		t.Fatal(err)
	}
	engines := t.TempDir()
	said := filepath.Join(engines, "said")
	if err := os.WriteFile(said, []byte("srun: error: "+steering+"\n0: "+steering+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"srun", "kubectl"} {
		if err := os.WriteFile(filepath.Join(engines, program), []byte("#!/bin/sh\ncat "+said+" >&2\nexit 1\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", engines+":"+os.Getenv("PATH"))
	one := func(args ...string) [][]string { return [][]string{args} }
	var none [][]string
	table := map[string][][]string{
		"":                       none,
		"run":                    {{good(), "--no-tui"}, {good(), "--lang", "zh", "--verbose"}, {good(), "--json"}, {good(), "--quiet"}, {bad}, {broken}, {bytesIn}, {good(), "--processes", "2"}},
		"try":                    {{good()}, {bad}, {broken}, {good(), "--conversation", steering}, {good(), "--fault", steering}},
		"tune":                   {{good(), "--vary", "target.timeout=1s,2s", "--rounds", "2", "--set", "load.stages=[{name: steady, for: 1s, starts: 5/s}]"}, {bad, "--vary", "target.timeout=1s,2s"}, {good(), "--vary", steering + "=1,2"}, {broken}},
		"capacity":               {{good(), "--from", "5/s", "--max", "6/s", "--hold", "1s", "--probes", "1"}, {bad}, {broken}},
		"report":                 {{a}, {a, "--format", "html"}, {a, "--format", "markdown"}, {a, "--format", "junit"}, {a, "--format", "json"}, {a, "--format", "csv"}, {a, "--lang", "zh"}, {a, b}, {hlog}, {hlog, "--format", "json"}},
		"merge":                  {{a, "--results-dir", filepath.Join(results, "m")}, {a, "--results-dir", filepath.Join(results, "n"), "--json"}, {a, b, "--results-dir", filepath.Join(results, "o")}},
		"compare":                {{a, b}, {b, b}, {b, b, "--json"}, {b, b, "--lang", "zh"}, {b, b, "--format", "markdown"}, {b, "--baseline", filepath.Join(results, "accepted"), "--accept"}},
		"trend":                  {{a, b}, {a, b, "--lang", "zh"}, {b, "--format", "html"}, {b, "--format", "markdown"}, {b, "--format", "json"}, {b, "--tag", steering + "=" + steering}},
		"validate":               {{good()}, {broken}, {bytesIn}, {good(), "--resolved"}, {good(), "--set", "x" + steering + "=1"}},
		"import":                 {{chats}, {noChats}},
		"learn":                  {{chats}, {noChats}},
		"init":                   one("own-\x1b[31m.yaml"),
		"scenarios show":         one(steering),
		"k8s run":                {{good(), "--shards", "2", "--image", "x"}, {broken, "--shards", "2", "--image", "x"}},
		"collect":                one(steering),
		"render k8s":             {{good(), "--shards", "2", "--image", steering}, {broken, "--shards", "2", "--image", "x"}},
		"render slurm":           {{good(), "--shards", "2", "--set", "description=" + steering}, {broken, "--shards", "2"}},
		"render github":          {{good(), "--shards", "2", "--set", "description=" + steering}, {broken, "--shards", "2"}},
		"slurm run":              {{good(), "--shards", "2"}, {good(), "--shards", "2", "--", steering}, {broken, "--shards", "2"}},
		"serve mockllm":          {{"--config", broken}, {"--listen", word}},
		"serve reference-server": {{"--llm", url, "--knob", word + "=1"}, {"--llm", url, "--profile", word}},
		// These read nothing that others write.
		"audit": none, "selftest": none, "scenarios": none, "schema": none, "version": none, "serve": none, "help": none, "run-shard": none, "slurm": none, "k8s": none, "render": none, "man": none,
	}
	t.Chdir(t.TempDir())
	for _, path := range commands(newRootCmd(streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard})) {
		name := strings.Join(path, " ")
		cases, known := table[name]
		if !known {
			t.Errorf("cstest %s: say in the table how it could show what others wrote", name)
		}
		shown := len(cases) == 0
		for _, more := range cases {
			args := append(append([]string{}, path...), more...)
			s := says(t, "", args...)
			s.steersNot(t, args)
			shown = shown || strings.Contains(s.out+s.err, "PWN") || strings.Contains(s.out+s.err, "^[[31m")
		}
		if !shown {
			t.Errorf("cstest %s showed nothing of what others wrote, which tests nothing", name)
		}
	}
}
