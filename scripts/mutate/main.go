// Command mutate changes one thing at a time in given files of a package, runs
// the package's tests, and prints every change that no test noticed.
//
//	go run ./scripts/mutate [-timeout 60s] [-run REGEXP] [-slow REGEXP] [-skip REGEXP] [-again] PACKAGE FILE...
//
// All changes are compiled into one binary of tests, and an environment variable
// says which one is made. The tests of FILE_test.go run first, then the others;
// those that match -slow run only for what the others did not notice, and those
// that match -skip not at all.
//
// PACKAGE/testdata/mutants.explained says of changes that no test can notice why
// not. They are counted and not run, but with -again, which prints those that a
// test notices all the same. Exit 1: a change survived, or an explanation is of none.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// which names the change that a run of the tests makes.
const which = "MUTANT"

func main() {
	timeout := flag.Duration("timeout", time.Minute, "of one run of the tests; a mutant that hangs is noticed")
	match := flag.String("run", "", "only the tests that match")
	slow := flag.String("slow", "", "tests that run last, for what the others did not notice")
	skip := flag.String("skip", "", "tests that do not run")
	again := flag.Bool("again", false, "run what is explained too")
	flag.Parse()
	if flag.NArg() < 2 {
		fmt.Fprintln(os.Stderr, "usage: mutate [-timeout D] [-run REGEXP] [-slow REGEXP] [-skip REGEXP] [-again] PACKAGE FILE...")
		os.Exit(64)
	}
	wrong, err := mutate(flag.Arg(0), flag.Args()[1:], tests{match: *match, slow: *slow, skip: *skip, timeout: *timeout, again: *again})
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(70)
	case wrong > 0:
		os.Exit(1)
	}
}

// tests says which tests look for a change, and for how long.
type tests struct {
	match, slow, skip string
	timeout           time.Duration
	again             bool // for what is explained too
	binary, dir       string
}

// mutate makes every change of some files and gives how many of them survived
// without an explanation, and how many explanations are of none.
func mutate(dir string, files []string, t tests) (wrong int, err error) {
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	reasons, err := explained(dir)
	if err != nil {
		return 0, err
	}
	mutants, overlay, err := write(work, dir, files)
	if err != nil {
		return 0, err
	}
	stale := unfound(reasons, files, mutants)
	for _, key := range stale {
		fmt.Printf("%s/%s: no such change: %s\n", dir, explainedFile, key)
	}
	t.dir, t.binary = dir, filepath.Join(work, "tests")
	if out, err := exec.Command("go", "test", "-vet=off", "-c", "-overlay", overlay, "-o", t.binary, "./"+dir).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("the changed package does not compile: %w\n%s", err, out)
	}
	if out, ok := t.pass(0, ""); !ok {
		return 0, fmt.Errorf("the tests of %s fail without a change:\n%s", dir, out)
	}
	byFile, all := map[string]counts{}, counts{}
	for i, m := range mutants {
		byFile[m.file] = byFile[m.file].plus(t.fate(i+1, m, reasons[m.key()]))
	}
	for _, name := range files {
		fmt.Printf("%s/%s: %v\n", dir, name, byFile[name])
		all = all.plus(byFile[name])
	}
	fmt.Println(all)
	return all.survived + len(stale), nil
}

// fate counts one change, and prints it where it is not as it should be.
func (t tests) fate(number int, m mutant, explained bool) counts {
	if explained && !t.again {
		return counts{explained: 1}
	}
	_, ok := t.pass(number, m.file)
	switch {
	case explained && ok:
		return counts{explained: 1}
	case explained:
		fmt.Printf("%s/%s: explained, and noticed all the same\n\t%s\n", t.dir, m.at, m.key())
	case ok:
		fmt.Printf("%s/%s\n\t%s\n", t.dir, m.at, m.key())
		return counts{survived: 1}
	}
	return counts{killed: 1}
}

// pass tells whether the tests do with a change in a file; 0 is none.
func (t tests) pass(mutant int, file string) ([]byte, bool) {
	skip := t.skip
	if t.slow != "" {
		skip = t.slow
		if t.skip != "" {
			skip += "|" + t.skip
		}
	}
	if own := t.own(file); own != "" && t.match == "" {
		if out, ok := t.once(mutant, own, skip); !ok {
			return out, false
		}
	}
	out, ok := t.once(mutant, t.match, skip)
	if ok && t.slow != "" {
		out, ok = t.once(mutant, t.slow, t.skip)
	}
	return out, ok
}

var testName = regexp.MustCompile(`(?m)^func (Test\w+)`)

// own matches the tests of a file's own; empty where there are none.
func (t tests) own(file string) string {
	text, err := os.ReadFile(filepath.Join(t.dir, strings.TrimSuffix(file, ".go")+"_test.go"))
	if err != nil {
		return ""
	}
	var names []string
	for _, m := range testName.FindAllSubmatch(text, -1) {
		names = append(names, string(m[1]))
	}
	if names == nil {
		return ""
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

func (t tests) once(mutant int, match, skip string) ([]byte, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), t.timeout+5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, t.binary, "-test.failfast", "-test.timeout", t.timeout.String(), "-test.run", match, "-test.skip", skip)
	cmd.Dir, cmd.Env = t.dir, append(os.Environ(), which+"="+strconv.Itoa(mutant))
	out, err := cmd.CombinedOutput()
	return out, err == nil
}
