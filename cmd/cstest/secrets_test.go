package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/report/redact"
	"github.com/cstest/cstest/result"
)

// The canaries: secrets that occur nowhere else, with letters that encodings change.
const (
	bearerCanary = "B34r3r/C4nary+s3cr3t=%41&Zq9"
	headerCanary = "H34d3r/C4nary+k3y<7>%42&Wx8"
	signCanary   = "S1gn/C4nary+of-thirty-two-bytes-and-more=%43"
	redisCanary  = "R3d1s-C4nary+p4ss~Uv7"
)

// spelt are the forms in which a secret could show.
func spelt(secret string) map[string]string {
	quoted, _ := json.Marshal(secret) // a string always encodes
	forms := map[string]string{
		"raw": secret, "beginning": secret[:12], "end": secret[len(secret)-12:],
		"query": url.QueryEscape(secret), "path": url.PathEscape(secret), "json": strings.Trim(string(quoted), `"`),
		"hex": hex.EncodeToString([]byte(secret)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte("abc"[:shift] + secret))
		forms[fmt.Sprintf("base64 at %d", shift)] = encoded[4 : len(encoded)-4]
		forms[fmt.Sprintf("base64url at %d", shift)] = strings.NewReplacer("+", "-", "/", "_").Replace(encoded[4 : len(encoded)-4])
	}
	return forms
}

// echo is a chat server that sends every credential it is given back: in a
// header, in answers, and in its errors, each time spelt another way.
type echo struct {
	mu    sync.Mutex
	calls int
	seen  map[string]bool // credentials
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead { // who answers here?
		w.Header().Set("Server", "echo "+bearerCanary)
		return
	}
	credential := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	key := r.Header.Get("X-Tenant-Key")
	e.mu.Lock()
	if e.seen == nil {
		e.seen = map[string]bool{}
	}
	e.seen[credential], e.seen[key] = true, true
	e.calls++
	n := e.calls
	e.mu.Unlock()
	w.Header().Set("X-Echo", r.Header.Get("Authorization")+" "+key)
	if strings.HasPrefix(r.URL.Path, "/refuse") {
		http.Error(w, `{"error":{"code":"no","message":`+quoted("no "+credential+" and "+key)+`}}`, http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	if n%2 == 1 { // the first is the turn before the load
		fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%s},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", quoted("you are "+credential+" with "+key))
		return
	}
	forms := []string{
		credential, url.QueryEscape(credential), base64.StdEncoding.EncodeToString([]byte("u:" + credential)),
		hex.EncodeToString([]byte(credential)), url.PathEscape(key), key, strings.Repeat("long ", 30) + credential, "Bearer " + credential,
	}
	fmt.Fprintf(w, "data: {\"error\":{\"code\":\"x\",\"message\":%s}}\n\n", quoted("bad token "+forms[n/2%len(forms)]))
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always encodes
	return string(b)
}

// echoing is a scenario for that server.
func echoing(target, auth string) string {
	return fmt.Sprintf(`version: 1
name: echoing
seed: 3
target:
  url: %s
  api: openai
  model: test
  mode: stream
  auth: %s
  headers: {x-tenant-key: "${env:CANARY_HEADER}"}
  timeout: 5s
load:
  arrivals: constant
  stages: [{name: steady, for: 4s, starts: 10/s}]
  drain: 5s
conversations: [{name: hello, turns: [{say: hello}]}]
sla: {latency: {p90: 3s}, availability: 99%%}
`, target, auth)
}

// silent holds that no text shows a secret.
func silent(t *testing.T, where, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		for name, form := range spelt(secret) {
			if i := strings.Index(text, form); i >= 0 {
				t.Errorf("%s shows %s… (%s) at %q", where, secret[:7], name, text[max(0, i-60):min(len(text), i+60)])
			}
		}
	}
}

// silentFiles holds that of every file below dir, and of the journal as it reads.
func silentFiles(t *testing.T, dir string, secrets ...string) (files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		silent(t, filepath.Base(path), string(b), secrets...)
		if filepath.Base(path) == result.JournalFile {
			r, err := measure.OpenJournal(path)
			if err != nil {
				return err
			}
			silent(t, "journal, decoded", fmt.Sprintf("%+v %s", r.Snapshot.Failures, r.Notes), secrets...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestSecretsStayInside(t *testing.T) {
	t.Setenv("CANARY_BEARER", bearerCanary)
	t.Setenv("CANARY_HEADER", headerCanary)
	for _, tt := range []struct{ name, auth, canary string }{
		{"bearer from the environment", `{bearer: "${env:CANARY_BEARER}"}`, bearerCanary},
		{"JSON Web Token signed with a file", `{jwt: {secret: "${file:sign.key}", sub: "${user.id}", ttl: 1h}}`, signCanary},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := &echo{}
			web := httptest.NewServer(server)
			t.Cleanup(web.Close)
			path := write(t, echoing(web.URL, tt.auth))
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "sign.key"), []byte(signCanary+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "result")
			live := cstest(t, "run", path, "--results-dir", dir, "-v", "--tag", "who="+tt.canary)
			if live.code != exitFail {
				t.Fatalf("exit %d\n%s\n%s", live.code, live.stdout, live.stderr)
			}
			secrets := server.secrets()
			silent(t, "run, standard output", live.stdout, secrets...)
			silent(t, "run, standard error", live.stderr, secrets...)
			if n := silentFiles(t, dir, secrets...); n < 8 {
				t.Errorf("%d files in the result directory", n)
			}
			doc := open(t, dir)
			if doc.Counts.Turns != 40 || doc.Counts.OK != 20 || len(doc.Errors) == 0 || doc.Tags["who"] != redact.Mark {
				t.Errorf("counts %+v, %d errors, tags %v", doc.Counts, len(doc.Errors), doc.Tags)
			}
			if !strings.Contains(doc.Errors[0].Message, redact.Mark) {
				t.Errorf("errors %+v: nothing was redacted, so nothing was tested", doc.Errors)
			}
			if sample := doc.Errors[0].Sample; !strings.Contains(sample, redact.Mark) || !strings.HasPrefix(sample, `{"error":{"code":"x","message":"bad token `) || strings.Contains(sample, "Wx8") {
				t.Errorf("the sample of an error is %q", sample)
			}
			checkReportsAreSilent(t, dir, secrets)
			server.rewind()
			asJSON := cstest(t, "run", path, "--results-dir", dir+"2", "--json", "--processes", "2")
			silent(t, "run --json --processes 2", asJSON.stdout+asJSON.stderr, server.secrets()...)
			if n := silentFiles(t, dir+"2", server.secrets()...); n < 8 || asJSON.code != exitFail {
				t.Errorf("exit %d, %d files in the result directory", asJSON.code, n)
			}
			server.rewind()
			one := cstest(t, "try", path)
			silent(t, "try", one.stdout+one.stderr, server.secrets()...)
			if !strings.Contains(one.stdout, "x-tenant-key: "+redact.Mark) && !strings.Contains(one.stdout, "X-Tenant-Key: "+redact.Mark) {
				t.Errorf("try does not show the redacted header\n%s", one.stdout)
			}
			refused := cstest(t, "run", path, "--results-dir", dir+"3", "--set", "target.url="+web.URL+"/refuse")
			silent(t, "a run that was refused", refused.stdout+refused.stderr, server.secrets()...)
			if refused.code != exitTarget {
				t.Errorf("refused: exit %d\n%s", refused.code, refused.stderr)
			}
		})
	}
}

// rewind makes the next call one that is answered.
func (e *echo) rewind() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = 0
}

// secrets are all that the server was given, and those behind them.
func (e *echo) secrets() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := []string{bearerCanary, headerCanary, signCanary}
	for s := range e.seen {
		list = append(list, s)
	}
	return list
}

func checkReportsAreSilent(t *testing.T, dir string, secrets []string) {
	t.Helper()
	for _, format := range []string{"text", "html", "markdown", "junit", "json", "csv"} {
		for _, lang := range []string{"en", "zh"} {
			r := cstest(t, "report", dir, "--format", format, "--lang", lang)
			silent(t, "report --format "+format, r.stdout+r.stderr, secrets...)
		}
	}
	if err := os.Remove(filepath.Join(dir, result.DocumentFile)); err != nil {
		t.Fatal(err)
	}
	r := cstest(t, "report", dir, "--format", "json")
	silent(t, "report from the journal", r.stdout+r.stderr, secrets...)
	silentFiles(t, dir, secrets...)
}

func TestRedisPasswordStaysInside(t *testing.T) {
	store := miniredis.RunT(t)
	store.RequireAuth(redisCanary)
	redis := "redis://:" + url.QueryEscape(redisCanary) + "@" + store.Addr() + "/0"
	t.Setenv("CANARY_REDIS", url.QueryEscape(redisCanary))
	for name, args := range map[string][]string{
		"flag":        {"--redis", redis},
		"environment": {"--set", "target.bundled.redis=redis://:${env:CANARY_REDIS}@" + store.Addr() + "/0"},
		"setting":     {"--set", "target.bundled.redis=" + redis},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "result")
			r := cstest(t, append([]string{"run", write(t, calm), "--results-dir", dir, "-v", "--set", "load.stages[steady].for=2s"}, args...)...)
			if doc := open(t, dir); doc.Counts.OK+doc.Counts.Degraded != 72 {
				t.Errorf("exit %d, counts %+v\n%s", r.code, doc.Counts, r.stderr)
			}
			silent(t, "output", r.stdout+r.stderr, redisCanary)
			silentFiles(t, dir, redisCanary)
			again := cstest(t, "report", dir)
			silent(t, "report", again.stdout+again.stderr, redisCanary)
			if again.code != r.code {
				t.Errorf("run exits %d, its report %d", r.code, again.code)
			}
		})
	}
	for _, args := range [][]string{
		{"--redis", "redis://:" + redisCanary + "@127.0.0.1:1/0"},
		{"--redis", "http://:" + redisCanary + "@127.0.0.1:1/0"},
		{"--target", "http://me:" + redisCanary + "@127.0.0.1:1"},
		{"--target", "ftp://me:" + redisCanary + "@127.0.0.1:1"},
	} {
		dir := filepath.Join(t.TempDir(), "result")
		r := cstest(t, append([]string{"run", write(t, calm), "--results-dir", dir}, args...)...)
		if r.code == exitPass || r.code == exitFail {
			t.Errorf("%v: exit %d", args[0], r.code)
		}
		silent(t, args[0]+" "+args[1][:8], r.stdout+r.stderr, redisCanary)
	}
}
