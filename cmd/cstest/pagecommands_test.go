package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cstest/cstest/scenarios"
)

// Programs of blocks that are not ours; any other word is a slip of the pen.
var othersPrograms = []string{"curl", "wait", "date", "export"}

// Commands are known by their first word in blocks of a shell, and in prose.
var ours = regexp.MustCompile(`^(cstest|go|make|(\./)?(bin|scripts|bench|ci)/[a-z./-]+)( |$)`)

// shellWords splits a line of a page as a shell would, and at the operators between
// commands; what follows # is a comment, what follows > a file.
func shellWords(line string) (commands [][]string) {
	var all []string
	var word strings.Builder
	var quote rune
	some, file := false, false
	end := func() {
		if some && !file {
			all = append(all, word.String())
		}
		if some {
			file = false
		}
		word.Reset()
		some = false
	}
	next := func() {
		end()
		if len(all) > 0 {
			commands = append(commands, all)
		}
		all = nil
	}
	depth := 0 // of $(…), which is one word
scan:
	for i, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0 || depth > 0 && r != ')' && r != '(':
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, some = r, true
		case r == '(':
			depth++
			word.WriteRune(r)
		case r == ')':
			depth--
			word.WriteRune(r)
		case r == '#' && !some:
			break scan
		case r == ' ':
			end()
		case r == '|', r == '&', r == ';':
			next()
		case r == '>':
			if i > 0 && line[i-1] != '>' {
				end()
			}
			file = true
		default:
			some = true
			word.WriteRune(r)
		}
	}
	next()
	return commands
}

func TestShellWords(t *testing.T) {
	for line, want := range map[string]string{
		`cstest run a.yaml -v   # says what`:       "cstest|run|a.yaml|-v",
		`cstest run --set 'a[b].c=1 2' > out.txt`:  "cstest|run|--set|a[b].c=1 2",
		`cstest scenarios show x | cstest run - &`: "cstest|scenarios|show|x\ncstest|run|-",
		`at=$(date -u -d '+5 seconds' +%H)`:        "at=$(date -u -d '+5 seconds' +%H)",
		`A=b go test -run '^$' ./x`:                "A=b|go|test|-run|^$|./x",
		`cstest compare a b >> $SUMMARY`:           "cstest|compare|a|b",
	} {
		var got []string
		for _, c := range shellWords(line) {
			got = append(got, strings.Join(c, "|"))
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// Every command that a page shows is one: cstest's with its flags and, where the
// scenario is built in, with its values; make's with its target; go's with its
// packages and tests; our scripts with their files. Examples of README and of
// console blocks are executed besides (TestReadme).
func TestCommandsOfPagesAreCommands(t *testing.T) {
	seen := map[string]int{}
	for _, path := range everyPage(t) {
		if filepath.Base(path) == "CHANGELOG.md" {
			continue // it says what was
		}
		p := readPage(t, path)
		for _, b := range p.blocks {
			if b.language != "sh" && b.language != "console" && b.language != "" {
				continue
			}
			text := strings.ReplaceAll(strings.Join(b.lines, "\n"), "\\\n", " ")
			for line := range strings.SplitSeq(text, "\n") {
				typed, console := strings.CutPrefix(line, "$ ")
				if b.language == "console" && !console || b.language == "" && (!ours.MatchString(line) || strings.ContainsRune(line, '─')) {
					continue
				}
				for _, c := range shellWords(typed) {
					holdCommand(t, path, c, b.language == "sh", seen)
				}
			}
		}
		for _, line := range p.prose {
			for _, span := range codeSpan.FindAllString(line, -1) {
				if span = strings.Trim(span, "`"); !ours.MatchString(span) || strings.ContainsAny(span, "…{") {
					continue
				}
				for _, c := range shellWords(span) {
					holdCommand(t, path, c, false, seen)
				}
			}
		}
	}
	if seen["cstest"] < 150 || seen["go"] < 15 || seen["make"] < 10 || seen["values"] < 15 {
		t.Errorf("too few commands to have seen the pages: %v", seen)
	}
}

// names of processes in reports, and lines that stand for many.
var noCommand = []string{"cstest shard 0/2"}

// holdCommand holds one command of a page. In a block of a shell it is whole; in
// prose it may lack its arguments.
func holdCommand(t *testing.T, path string, c []string, whole bool, seen map[string]int) {
	t.Helper()
	line := strings.Join(c, " ")
	for len(c) > 0 && regexp.MustCompile(`^[A-Za-z_]+=`).MatchString(c[0]) {
		c = c[1:]
	}
	if len(c) == 0 || slices.Contains(noCommand, line) {
		return
	}
	say := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s: %s: "+format, append([]any{path, line}, args...)...)
	}
	switch program := strings.TrimPrefix(c[0], "./"); {
	case program == "cstest" || program == "bin/cstest":
		seen["cstest"]++
		holdCstest(t, c[1:], whole, say, seen)
	case program == "go":
		seen["go"]++
		holdGo(t, c[1:], say, seen)
	case program == "make":
		seen["make"]++
		makefile := readFile(t, "../../Makefile")
		for _, target := range c[1:] {
			if !strings.Contains(target, "=") && !strings.Contains(makefile, "\n"+target+":") {
				say("there is no target %s", target)
			}
		}
	case strings.Contains(program, "/"):
		seen["scripts"]++
		if _, err := os.Stat("../../" + program); err != nil {
			say("%v", err)
		}
	case !slices.Contains(othersPrograms, program):
		say("%s is not known: is it misspelt, or to be added to othersPrograms?", program)
	}
}

func holdCstest(t *testing.T, args []string, whole bool, say func(string, ...any), seen map[string]int) {
	t.Helper()
	root := newRootCmd(streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
	if len(args) > 0 && args[0] == "help" {
		args = args[1:]
		if len(args) > 0 && args[0] == "COMMAND" {
			return
		}
	}
	cmd, rest, err := root.Find(args)
	if err != nil {
		say("%v", err)
		return
	}
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	// Words in capitals stand for what the reader puts there.
	if slices.ContainsFunc(rest, func(w string) bool { return regexp.MustCompile(`=[A-Z]+$|^[A-Z]+=`).MatchString(w) }) {
		rest = slices.DeleteFunc(slices.Clone(rest), func(w string) bool { return strings.Contains(w, "$") })
	}
	if err := cmd.ParseFlags(rest); err != nil {
		say("%v", err)
		return
	}
	if whole {
		if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
			say("%v", err)
		}
	}
	holdValues(t, cmd, say, seen)
}

// holdValues has cstest itself check a built-in scenario with the flags of a
// command that takes one.
func holdValues(t *testing.T, cmd *cobra.Command, say func(string, ...any), seen map[string]int) {
	t.Helper()
	name := cmd.Flags().Arg(0)
	placeholder := regexp.MustCompile(`^[A-Z]+$|^-?$|[./]`)
	switch cmd.Name() {
	case "show":
		if _, ok := scenarios.Get(name); !ok && !placeholder.MatchString(name) {
			say("no scenario %s is built in", name)
		}
		if strings.HasPrefix(name, "apis/") && !slices.Contains(scenarios.APIs(), name) {
			say("no scenario %s is built in", name)
		}
		return
	case "run", "try", "tune", "capacity", "validate":
		if cmd.Parent().Name() != "cstest" || name == "" || placeholder.MatchString(name) {
			return
		}
	default:
		return
	}
	args := []string{"validate", name}
	known, _, err := cmd.Root().Find(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if known.Flags().Lookup(f.Name) == nil {
			return
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, v := range list.GetSlice() {
				args = append(args, "--"+f.Name+"="+v)
			}
			return
		}
		args = append(args, "--"+f.Name+"="+f.Value.String())
	})
	seen["values"]++
	if s := says(t, "", args...); !strings.HasPrefix(s.out, name+": valid\n") {
		say("%s%s", s.out, s.err)
	}
}

// holdGo holds the packages, and the tests that -run and -bench name, of a call
// of go.
func holdGo(t *testing.T, args []string, say func(string, ...any), seen map[string]int) {
	t.Helper()
	var packages, patterns []string
	for i := 1; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-run" || a == "-bench":
			i++
			if i < len(args) && args[i] != "^$" && args[i] != "." && args[i] != "xxx" {
				patterns = append(patterns, args[i])
			}
		case strings.HasPrefix(a, "./") && a != "./...":
			packages = append(packages, filepath.Join("../..", a))
		}
	}
	for _, folder := range packages {
		if files, _ := filepath.Glob(filepath.Join(folder, "*.go")); len(files) == 0 {
			say("%s holds no package", folder)
		}
	}
	for _, pattern := range patterns {
		named := false
		for _, folder := range packages {
			tests, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range tests {
				for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w*)`).FindAllStringSubmatch(readFile(t, file), -1) {
					named = named || regexp.MustCompile(pattern).MatchString(m[1]) || regexp.MustCompile(strings.TrimSuffix(pattern, "$")).MatchString(m[1])
				}
			}
		}
		if !named {
			say("no test or benchmark of %v is called %s", packages, pattern)
		}
		seen["tests"]++
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
