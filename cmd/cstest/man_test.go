package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every command that help lists has a page, which man reads without a complaint where
// there is groff.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	if got := cstest(t, "man", dir); got.code != 0 {
		t.Fatalf("exit %d: %s", got.code, got.stderr)
	}
	root := newRootCmd(streams{})
	for _, cmd := range root.Commands() {
		if !cmd.IsAvailableCommand() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, "cstest-"+cmd.Name()+".1"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, want := range []string{".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH EXAMPLES", ".BR cstest (1)"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: no %s", cmd.Name(), want)
			}
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("no groff: the pages were not set")
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		out, err := exec.Command(groff, "-man", "-Tutf8", "-ww", "-K", "utf8", page).CombinedOutput()
		if err != nil || strings.Contains(string(out), "warning:") {
			t.Errorf("%s: %v\n%.2000s", filepath.Base(page), err, out)
		}
	}
}

func TestRoff(t *testing.T) {
	if got := roff(".TH x\n'a\n\\fB --set a.b"); got != "\\&.TH x\n\\&'a\n\\efB \\-\\-set a.b" {
		t.Errorf("%q", got)
	}
}
