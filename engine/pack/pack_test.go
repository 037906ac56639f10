package pack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cstest/cstest/scenario"
)

const own = `version: 1
name: sale
target:
  url: https://chat.test
  api: custom
  tls: {ca: certs/ca.pem, cert: certs/me.pem, key: certs/me.key}
  auth: {bearer: "${env:TOKEN}"}
  before: [{path: /upload, as: multipart, body: {photo: {file: photo.jpg}}}]
  request: {path: /talk, headers: {x-key: "${file:key.txt}"}, body: {text: "${turn.text}", who: "${env:WHO}"}}
  response: {answer: reply}
load: %s
conversations: [{name: talk, turns: [{say: "${users.name}"}]}]
data: {users: {csv: data/users.csv}}
checks: {memory: off}
sla: {latency: {p90: 5s}}
`

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"certs/ca.pem": "ca", "certs/me.pem": "me", "certs/me.key": "key", "photo.jpg": "photo", "key.txt": "secret\n", "data/users.csv": "name\n张三\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func parse(t *testing.T, dir, load string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("sale.yaml", fmt.Appendf(nil, own, load), scenario.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const openLoad = "{stages: [{name: steady, for: 10s, starts: 1/s}]}"

func TestPackHoldsWhatTheScenarioReads(t *testing.T) {
	dir := folder(t)
	p, err := New(parse(t, dir, openLoad), []byte("name: sale\n"))
	if err != nil {
		t.Fatal(err)
	}
	names := func(files []File) string {
		var list []string
		for _, f := range files {
			list = append(list, f.Path)
		}
		return strings.Join(list, " ")
	}
	if got := names(p.Files); got != "certs/ca.pem certs/me.pem data/users.csv photo.jpg" {
		t.Errorf("files: %s", got)
	}
	if got := names(p.Secrets); got != "certs/me.key key.txt" {
		t.Errorf("secrets: %s", got)
	}
	if got := strings.Join(p.Env, " "); got != "TOKEN WHO" {
		t.Errorf("environment: %s", got)
	}
	to := filepath.Join(t.TempDir(), "plan")
	path, err := p.Write(to)
	if err != nil || path != filepath.Join(to, "scenario.yaml") {
		t.Fatal(path, err)
	}
	for name, want := range map[string]string{"scenario.yaml": "name: sale\n", "certs/me.key": "key", "data/users.csv": "name\n张三\n", "key.txt": "secret\n"} {
		if got, err := os.ReadFile(filepath.Join(to, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if info, err := os.Stat(filepath.Join(to, "key.txt")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a secret others may read: %v, %v", info, err)
	}
}

func TestPackRefusesWhatIsNotThere(t *testing.T) {
	dir := folder(t)
	s := parse(t, dir, openLoad)
	if err := os.Remove(filepath.Join(dir, "photo.jpg")); err != nil {
		t.Fatal(err)
	}
	if _, err := New(s, nil); err == nil || !strings.HasPrefix(err.Error(), "photo.jpg, which the scenario reads: no such file") {
		t.Errorf("missing: %v", err)
	}
	if err := os.Symlink("/etc/hosts", filepath.Join(dir, "photo.jpg")); err != nil {
		t.Fatal(err)
	}
	if _, err := New(s, nil); err == nil || err.Error() != "photo.jpg, which the scenario reads: it lies outside of the scenario's folder" {
		t.Errorf("a way out: %v", err)
	}
	s.Target.TLS.CA = "/etc/hosts"
	if _, err := New(s, nil); err == nil || !strings.HasPrefix(err.Error(), "/etc/hosts does not lie below the scenario's folder") {
		t.Errorf("an absolute path: %v", err)
	}
}

func TestWhatCannotBeSpreadIsRefused(t *testing.T) {
	dir := folder(t)
	for _, c := range []struct {
		load   string
		shards int
		change func(*scenario.Scenario)
		want   string
	}{
		{openLoad, 4, nil, ""},
		{openLoad, 10, nil, ""},
		{openLoad, 11, nil, "--shards 11: the load has 10 conversations at most"},
		{"{users: 5, for: 10s}", 5, nil, ""},
		{"{users: 5, for: 10s}", 6, nil, "--shards 6: the load has 5 conversations at most"},
		{openLoad, 1, nil, "--shards 1: want 2 to 1,024"},
		{openLoad, 2000, nil, "--shards 2,000: want 2 to 1,024"},
		{openLoad, 4, func(s *scenario.Scenario) { s.Target.Bundled = &scenario.Bundled{} }, "the bundled server is one for each shard"},
		{openLoad, 4, func(s *scenario.Scenario) { s.LLM = &scenario.LLM{Listen: "127.0.0.1:9"} }, "llm.listen 127.0.0.1:9 would be a mock LLM on each shard's machine"},
		{openLoad, 4, func(s *scenario.Scenario) { s.LLM = &scenario.LLM{Admin: "http://127.0.0.1:9"} }, ""},
	} {
		s := parse(t, dir, c.load)
		if c.change != nil {
			c.change(s)
		}
		err := Refuse(s, c.shards)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s over %d: %v, want %q", c.load, c.shards, err, c.want)
		}
	}
}
