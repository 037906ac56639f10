package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// nginxCase starts nginx with testdata/servers-of-others/NAME/nginx.conf, in which
// DIR, ADDRESSn, PORTn and what else is given stand for themselves. It gives DIR and
// the addresses.
func nginxCase(t *testing.T, name string, listeners int, more map[string]string) (dir string, addresses []string) {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("no nginx: the server of this test is written for it")
	}
	conf, err := os.ReadFile(filepath.Join("testdata", "servers-of-others", name, "nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { // its workers may be another user
		t.Fatal(err)
	}
	words := []string{"DIR", dir}
	for n := range listeners {
		address := freeAddress(t)
		_, port, _ := net.SplitHostPort(address)
		words = append(words, fmt.Sprintf("ADDRESS%d", n+1), address, fmt.Sprintf("PORT%d", n+1), port)
		addresses = append(addresses, address)
	}
	for word, text := range more {
		words = append(words, word, text)
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(words...).Replace(string(conf))), 0o600); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "nginx.err")
	cmd := exec.Command(path, "-c", file, "-e", log)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; {
		c, err := net.DialTimeout("tcp", addresses[0], time.Second)
		if err == nil {
			_ = c.Close()
			return dir, addresses
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(log)
			t.Fatalf("nginx: %v\n%s", err, said)
		}
	}
}

// keyFiles makes a certificate for 127.0.0.1 and gives the files of it and of its key.
func keyFiles(t *testing.T) (cert, key string) {
	t.Helper()
	pair, cert := certificate(t, "127.0.0.1", time.Now().Add(time.Hour))
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	key = filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// logged counts the lines of an access log, once it has as many as there must be.
func logged(t *testing.T, path string, least int) map[string]int {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]int{}
		n := 0
		for line := range strings.Lines(string(raw)) {
			counts[strings.TrimSpace(line)]++
			n++
		}
		if n >= least || time.Now().After(deadline) {
			return counts
		}
	}
}

// What a server closed while it was idle is not written to: under TLS as in the
// clear, with nginx as with Node, on connections of one's own and on shared ones.
func TestConnectionsThatServersCloseWhenIdle(t *testing.T) {
	t.Parallel()
	cert, key := keyFiles(t)
	_, at := nginxCase(t, "kept-connections", 2, map[string]string{"CERT": cert, "KEY": key})
	pems := []string{"KEY=" + key, "CERT=" + cert}
	quick := nodeServer(t, "kept-connections", append(pems, "KEEP=500")...)
	usual := nodeServer(t, "kept-connections", pems...)
	ca := []string{"--set", "target.tls.ca=" + cert}
	for _, tt := range []struct {
		name, url string
		turns     int64
		tls       bool
		args      []string
	}{
		{"nginx, TLS", "https://" + at[0], 36, true, ca},
		{"nginx, TLS, shared", "https://" + at[0], 36, true, append(slices.Clone(ca), "--set", "target.connections=shared", "--set", "target.pool=3")},
		{"nginx, clear", "http://" + at[1], 36, false, []string{"--set", "load.think=600ms"}},
		{"node, TLS, 0.5 s", quick, 36, true, append(slices.Clone(ca), "--set", "load.think=2500ms")},
		{"node, TLS, as it is", usual, 12, true, append(slices.Clone(ca), "--set", "load.think=6500ms", "--set", "load.stages[s].for=1s")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, doc := runCase(t, "kept-connections", tt.url, append(tt.args, "--on-inconclusive", "pass")...)
			if c := doc.Counts; r.code != exitPass || c.Turns != tt.turns || c.OK != c.Turns {
				t.Errorf("exit %d, %d of %d turns ok, want all of %d\n%s%s", r.code, c.OK, c.Turns, tt.turns, r.stdout, r.stderr)
			}
			made := doc.Generator.FullHandshakes + doc.Generator.ResumedHandshakes
			if own := !slices.Contains(tt.args, "target.connections=shared"); tt.tls && own && made != tt.turns {
				t.Errorf("%d handshakes for %d turns on connections that were all closed between them", made, tt.turns)
			}
			if (made > 0) != tt.tls {
				t.Errorf("%d handshakes", made)
			}
		})
	}
}

// A name with three addresses gets a third of the connections at each, and the
// result says how many turns each got, as the server's own log does.
func TestTurnsGoToEveryAddressOfAName(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a process a hosts file of its own")
	}
	if err := exec.Command("unshare", "-m", "true").Run(); err != nil {
		t.Skipf("unshare: %v", err)
	}
	dir, at := nginxCase(t, "several-addresses", 1, nil)
	_, port, _ := net.SplitHostPort(at[0])
	folder := filepath.Join("testdata", "servers-of-others", "several-addresses")
	for _, addresses := range []string{"rotate", "first"} {
		out := filepath.Join(t.TempDir(), "result")
		cmd := command(t, "run", filepath.Join(folder, "scenario.yaml"), "--set", "target.url=http://chat.test:"+port, "--set", "target.addresses="+addresses,
			"--results-dir", out, "--no-tui")
		hosts := exec.Command("unshare", append([]string{"-m", "sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`, filepath.Join(folder, "hosts")}, cmd.Args...)...)
		hosts.Env = cmd.Env
		if err := os.Truncate(filepath.Join(dir, "access.log"), 0); err != nil {
			t.Fatal(err)
		}
		r, doc := finished(t, hosts), open(t, out)
		if r.code != exitPass || doc.Counts.OK != 90 {
			t.Fatalf("exit %d, %d turns ok, want 90\n%s%s", r.code, doc.Counts.OK, r.stdout, r.stderr)
		}
		got := map[string]int64{}
		for _, a := range doc.Generator.Addresses {
			host, _, _ := net.SplitHostPort(a.Address)
			got[host] = a.Turns
		}
		log := logged(t, filepath.Join(dir, "access.log"), 91)
		hit := 0
		for line, n := range log {
			if host, found := strings.CutSuffix(line, " POST"); found {
				hit++
				if int64(n) != got[host] && int64(n) != got[host]+1 { // one of them the preflight's
					t.Errorf("%s: %s was asked %d times by its log, %d by the result", addresses, host, n, got[host])
				}
			}
		}
		want := map[string]int{"rotate": 3, "first": 1}[addresses]
		if n := len(slices.Collect(maps.Keys(got))); n != want || hit != want {
			t.Errorf("%s: turns at %v, log %v; want %d addresses", addresses, got, log, want)
		}
		if addresses == "rotate" {
			for host, n := range got {
				if n < 25 || n > 35 {
					t.Errorf("%s got %d of 90 turns, want a third", host, n)
				}
			}
		}
		if shown := strings.Contains(r.stdout, "127.0.0.3"); shown != (want > 1) {
			t.Errorf("%s: the summary tells of addresses: %t\n%s", addresses, shown, r.stdout)
		}
	}
}

// A target that knows 127.0.0.1 alone is asked from there, by however many users
// as have ports.
func TestManyUsersComeFromOneAddress(t *testing.T) {
	t.Parallel()
	dir, at := nginxCase(t, "many-users", 1, nil)
	r, doc := runCase(t, "many-users", "http://"+at[0])
	if c := doc.Counts; r.code != exitPass || c.OK != c.Turns || c.Turns < 2100 {
		t.Errorf("exit %d, %d of %d turns ok\n%s%s", r.code, c.OK, c.Turns, r.stdout, r.stderr)
	}
	for line := range logged(t, filepath.Join(dir, "access.log"), 2100) {
		if from, _, _ := strings.Cut(line, " "); from != "127.0.0.1" {
			t.Errorf("logged: %s", line)
		}
	}
}

// ask gives what a server of testdata answers on GET /count.
func ask(t *testing.T, url string, to any) {
	t.Helper()
	resp, err := http.Get(url + "/count") //nolint:noctx // a server of this test
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close(), json.Unmarshal(raw, to)); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
}

// Ten users who begin a conversation a second each begin 50 in five seconds, though
// people think for two seconds before a further turn.
func TestPacedUsersBeginOnTime(t *testing.T) {
	t.Parallel()
	for think, want := range map[string]int64{"": 50, "0s": 50} {
		t.Run("think "+think, func(t *testing.T) {
			t.Parallel()
			url := nodeServer(t, "pacing")
			var args []string
			if think != "" {
				args = []string{"--set", "load.think=" + think}
			}
			_, doc := runCase(t, "pacing", url, append(args, "--on-inconclusive", "pass")...)
			var posts int64
			ask(t, url, &posts)
			if c := doc.Counts; c.Conversations != want || c.OK != want || posts != want+1 {
				t.Errorf("%d conversations, %d ok, the server counts %d; want %d and the preflight's", c.Conversations, c.OK, posts, want)
			}
		})
	}
}

// A login that has run out is renewed, be it a token or a cookie, and costs no turn.
func TestLoginsThatRunOut(t *testing.T) {
	t.Parallel()
	for file, env := range map[string]string{"scenario.yaml": "COOKIE=", "cookie.yaml": "COOKIE=1"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			url := nodeServer(t, "login-expiry", env)
			dir := filepath.Join(t.TempDir(), "result")
			r := measured(t, "run", filepath.Join("testdata", "servers-of-others", "login-expiry", file), "--set", "target.url="+url,
				"--results-dir", dir, "--no-tui", "--on-inconclusive", "pass")
			doc := open(t, dir)
			var told struct{ Logins, OK, Refused int64 }
			ask(t, url, &told)
			if c := doc.Counts; r.code != exitPass || c.Turns != 100 || c.OK != c.Turns || told.OK != c.Turns+1 || told.Refused < 20 || told.Logins != told.Refused+11 {
				t.Errorf("exit %d, %d of %d turns ok; the server: %+v\n%s", r.code, c.OK, c.Turns, told, r.stdout)
			}
		})
	}
}
