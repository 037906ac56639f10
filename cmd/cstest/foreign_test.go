package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cstest/cstest/result"
)

// Chat servers and gateways that others publish (testdata/foreign, from npm), driven by
// what a mapping can say. Behind those that ask a model is cstest's, which answers 503
// from the first second to the second.

// foreignServer starts testdata/foreign/NAME.mjs, which asks the model at llm.
func foreignServer(t *testing.T, name, llm string, packages ...string) string {
	t.Helper()
	dir := filepath.Join("testdata", "foreign")
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: make deps")
	}
	for _, p := range packages {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", filepath.FromSlash(p))); err != nil {
			t.Skipf("%s from npm is not installed: make deps", p)
		}
	}
	cmd := exec.Command(node, name+".mjs")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "LLM="+llm)
	return started(t, cmd)
}

// foreignRun runs testdata/foreign/NAME.yaml against a server, with the model at llm.
func foreignRun(t *testing.T, name, url, llm string) (ended, *result.Document) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "result")
	r := measuredIn(t, dir, func() *exec.Cmd {
		cmd := command(t, "run", filepath.Join("testdata", "foreign", name+".yaml"), "--set", "llm.listen="+strings.TrimPrefix(llm, "http://"),
			"--results-dir", dir, "--no-tui", "--on-inconclusive", "pass")
		cmd.Env = append(cmd.Env, "CHAT_URL="+url, "LLM="+llm)
		return cmd
	})
	if r.code != exitPass {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	return r, open(t, dir)
}

// message tells whether the report has an error of that text.
func message(doc *result.Document, text string) bool {
	for _, e := range doc.Errors {
		if strings.Contains(e.Message, text) {
			return true
		}
	}
	return false
}

// Express with express-session and csrf-sync: whoever has no cookie or no token is
// refused, and a session lasts six messages.
func TestForeignExpressSession(t *testing.T) {
	t.Parallel()
	llm := "http://" + freeAddress(t)
	url := foreignServer(t, "express-session", llm, "express", "express-session", "csrf-sync")
	r, doc := foreignRun(t, "express-session", url, llm)
	c := doc.Counts
	if c.OK+c.Degraded != c.Turns || c.Turns < 80 || doc.Tiers.FAQ == 0 || c.Degraded != doc.Tiers.FAQ || doc.Tiers.Unknown > 0 {
		t.Errorf("counts %+v, tiers %+v, errors %+v", c, doc.Tiers, doc.Errors)
	}
	if c.ContextLost != 0 || c.ContextVerified == 0 {
		t.Errorf("context lost %d, verified %d", c.ContextLost, c.ContextVerified)
	}
	// On a busy machine a turn that came before the storm asks the model in it.
	if s := doc.Storms; len(s) != 1 || s[0].Tiers.FAQ < c.Degraded*9/10 || s[0].Tiers.FAQ > c.Degraded {
		t.Errorf("storms %+v, %d degraded", s, c.Degraded)
	}
	m := regexp.MustCompile(`(\d+) logins, (\d+) of them because one had run out`).FindStringSubmatch(r.stdout)
	if m == nil {
		t.Fatalf("no logins in\n%s", r.stdout)
	}
	// Eight users log in, and again before each seventh message.
	logins, _ := strconv.ParseInt(m[1], 10, 64)
	again, _ := strconv.ParseInt(m[2], 10, 64)
	if logins != again+8 || again < c.Turns/6-8 || again > c.Turns/6 {
		t.Errorf("%d logins, %d of them again, for %d turns", logins, again, c.Turns)
	}
}

// Botkit's web adapter, by its webhook and over its WebSocket.
func TestForeignBotkit(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"botkit-webhook", "botkit-socket"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			llm := "http://" + freeAddress(t)
			url := foreignServer(t, "botkit", llm, "botkit", "botbuilder-adapter-web")
			_, doc := foreignRun(t, way, url, llm)
			foreignStorm(t, doc, "the model answers 503")
		})
	}
}

// A bot on the Bot Framework SDK, asked over Direct Line.
func TestForeignDirectLine(t *testing.T) {
	t.Parallel()
	llm := "http://" + freeAddress(t)
	url := foreignServer(t, "directline", llm, "botbuilder", "offline-directline")
	_, doc := foreignRun(t, "directline", url, llm)
	foreignStorm(t, doc, "modelUnavailable the model answers 503")
}

// foreignStorm: ninety turns, of which those in the storm failed as the server said, and
// no other.
func foreignStorm(t *testing.T, doc *result.Document, told string) {
	t.Helper()
	c := doc.Counts
	if c.Conversations != 30 || c.Turns != 90 || c.OK+c.ServerError != 90 || c.ServerError < 10 || c.ServerError > 60 {
		t.Errorf("counts %+v, errors %+v", c, doc.Errors)
	}
	if !message(doc, told) {
		t.Errorf("no error says %q: %+v", told, doc.Errors)
	}
	if c.ContextVerified == 0 || objective(t, doc, "integrity") != "pass" {
		t.Errorf("context verified %d, objectives %+v", c.ContextVerified, doc.Objectives)
	}
	if n := doc.LLM.Calls; n == nil || *n < c.Turns-3 || *n > c.Turns {
		t.Errorf("the model was called %s times for %d turns", shown(n), c.Turns)
	}
}

// Portkey's gateway asks a model that answers 503 again, a second later and two more.
func TestForeignGateway(t *testing.T) {
	t.Parallel()
	llm := "http://" + freeAddress(t)
	url := foreignServer(t, "portkey", llm, "@portkey-ai/gateway")
	_, doc := foreignRun(t, "portkey", url, llm)
	c := doc.Counts
	if c.Turns != 90 || c.OK != 90 || c.ContextVerified == 0 {
		t.Errorf("counts %+v, errors %+v", c, doc.Errors)
	}
	// Of its calls as many went well as there are turns; the first of them all may have come
	// before the mock knew when the load began.
	if m := doc.Client; m == nil || m.Failed < 5 || m.Retries != m.Failed || m.Calls-m.Failed > c.Turns || m.Calls-m.Failed < c.Turns-3 {
		t.Errorf("what the gateway did to the model: %+v", m)
	}
}

// The scenarios of vendors' APIs in the library, as they are, at a server that another
// project wrote to those vendors' documents.
func TestForeignAPIs(t *testing.T) {
	t.Parallel()
	url := foreignServer(t, "aimock", "", "@copilotkit/aimock")
	for _, api := range []string{"apis/anthropic", "apis/ollama", "apis/openai-responses"} {
		t.Run(api, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "result")
			cmd := command(t, "run", api, "-n", "20", "--set", "load.think=0s", "--results-dir", dir, "--no-tui", "--quiet", "--on-inconclusive", "pass")
			cmd.Env = append(cmd.Env, "CHAT_URL="+url, "CHAT_KEY=k", "CHAT_MODEL=m")
			r := finished(t, cmd)
			if r.code != exitPass {
				t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
			}
			doc := open(t, dir)
			if c := doc.Counts; c.Turns != 40 || c.OK != 40 || doc.FirstToken == nil || doc.FirstToken.N != 40 {
				t.Errorf("counts %+v, first token %+v", c, doc.FirstToken)
			}
		})
	}
}
