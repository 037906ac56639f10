package driver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// pair makes a self-signed certificate in files and in memory.
func pair(t testing.TB, name string, until time.Time) (certFile, keyFile string, cert tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
		DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw})
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, text := range map[string][]byte{certFile: certPEM, keyFile: keyPEM} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if cert, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile, cert
}

// tlsServer answers okBody over TLS and says which names it was asked for.
func tlsServer(t *testing.T, config *tls.Config) (address string, names *[]string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	names = new([]string)
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		*names = append(*names, hello.ServerName)
		return nil, nil
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*names = append(*names, "host "+r.Host)
		io.WriteString(w, okBody) //nolint:errcheck // the client may be gone
	}), ErrorLog: log.New(io.Discard, "", 0)}
	var wg sync.WaitGroup
	wg.Go(func() { srv.Serve(tls.NewListener(l, config)) }) //nolint:errcheck // ends with the test
	t.Cleanup(func() {
		srv.Close()
		wg.Wait()
	})
	return l.Addr().String(), names
}

func once(t *testing.T, target *scenario.Target, dir ...string) Reply {
	t.Helper()
	d := open(t, target, Options{Base: time.Now(), Dir: filepath.Join(dir...)})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	var r Reply
	line.Do(&Turn{Text: []byte("hi")}, &r)
	got := Reply{Status: r.Status, Reason: r.Reason, Message: r.Message, Connect: r.Connect}
	line.Free(&r)
	return got
}

func TestTLS(t *testing.T) {
	good, key, cert := pair(t, "chat.example", time.Now().Add(time.Hour))
	expired, _, old := pair(t, "chat.example", time.Now().Add(-time.Hour))
	other, _, foreign := pair(t, "other.example", time.Now().Add(time.Hour))
	clientCAs := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	clientCAs.AddCert(leaf)
	dir := filepath.Dir(good)
	for _, c := range []struct {
		name    string
		server  *tls.Config
		client  scenario.TLS
		reason  Reason
		message string
	}{
		{"own CA", &tls.Config{Certificates: []tls.Certificate{cert}}, scenario.TLS{CA: good}, Complete, ""},
		{"a path of the scenario's folder", &tls.Config{Certificates: []tls.Certificate{cert}}, scenario.TLS{CA: filepath.Base(good)}, Complete, ""},
		{"unknown CA", &tls.Config{Certificates: []tls.Certificate{cert}}, scenario.TLS{}, Unreachable, "tls: the certificate is signed by an unknown authority"},
		{"insecure", &tls.Config{Certificates: []tls.Certificate{foreign}}, scenario.TLS{Insecure: true}, Complete, ""},
		{"expired", &tls.Config{Certificates: []tls.Certificate{old}}, scenario.TLS{CA: expired}, Unreachable, "tls: the certificate is expired or not yet valid"},
		{"wrong host", &tls.Config{Certificates: []tls.Certificate{foreign}}, scenario.TLS{CA: other}, Unreachable, "tls: the certificate is for another host"},
		{"server_name", &tls.Config{Certificates: []tls.Certificate{foreign}}, scenario.TLS{CA: other, ServerName: "other.example"}, Complete, ""},
		{"TLS 1.0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, scenario.TLS{CA: good}, Unreachable, "tls: protocol version not supported"},
		{"client certificate", &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clientCAs}, scenario.TLS{CA: good, Cert: good, Key: key}, Complete, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, names := tlsServer(t, c.server)
			target := &scenario.Target{URL: "https://chat.example", TLS: &c.client, Resolve: map[string]string{"chat.example:443": address}}
			r := once(t, target, dir)
			if r.Reason != c.reason || !strings.Contains(r.Message, c.message) {
				t.Errorf("reason %d %q, want %d %q", r.Reason, r.Message, c.reason, c.message)
			}
			sni := "chat.example"
			if c.client.ServerName != "" {
				sni = c.client.ServerName
			}
			if len(*names) == 0 || (*names)[0] != sni || c.reason == Complete && (*names)[1] != "host chat.example" {
				t.Errorf("asked for %q", *names)
			}
		})
	}
}

func TestTLSAgainstPlain(t *testing.T) {
	plain := strings.TrimPrefix(rawServer(t, func(c net.Conn, _ int) bool { return false }), "http://")
	for _, version := range []string{"1.1", "2"} {
		r := once(t, &scenario.Target{URL: "https://" + plain, HTTP: scenario.HTTPVersion(version)})
		if r.Reason != Unreachable {
			t.Errorf("%s: reason %d %q", version, r.Reason, r.Message)
		}
	}
	// A server that has no HTTP/2 to offer is told so at once.
	_, _, cert := pair(t, "chat.example", time.Now().Add(time.Hour))
	address, _ := tlsServer(t, &tls.Config{Certificates: []tls.Certificate{cert}})
	r := once(t, &scenario.Target{URL: "https://" + address, HTTP: "2", TLS: &scenario.TLS{Insecure: true}})
	if r.Reason != Unreachable || r.Message != "the server does not speak HTTP/2 over TLS" {
		t.Errorf("reason %d %q", r.Reason, r.Message)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	for _, version := range []string{"1.1", "h2c"} {
		r := once(t, &scenario.Target{URL: "http://" + address, HTTP: scenario.HTTPVersion(version)})
		if r.Reason != Unreachable || r.Message != "connection refused" {
			t.Errorf("%s: reason %d %q", version, r.Reason, r.Message)
		}
		r = once(t, &scenario.Target{URL: "http://no-such-host.invalid", HTTP: scenario.HTTPVersion(version)})
		if r.Reason != Unreachable || r.Message != "name lookup: no such host" {
			t.Errorf("%s: reason %d %q", version, r.Reason, r.Message)
		}
	}
}

// Our own limits are told from the target's trouble.
func TestExhausted(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL} {
		err := &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", errno)}
		if f := wire.DialFault(err); f.Reason != Exhausted || !strings.Contains(f.Message, errno.Error()) {
			t.Errorf("%v: reason %d %q", errno, f.Reason, f.Message)
		}
	}
}

// A proxy in the environment is not used.
func TestNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	url := rawServer(t, func(c net.Conn, _ int) bool {
		write(c, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"+okBody)
		return true
	})
	port := url[strings.LastIndexByte(url, ':')+1:]
	target := &scenario.Target{URL: "http://chat.example:" + port, Resolve: map[string]string{"chat.example:" + port: "127.0.0.1:" + port}}
	if r := once(t, target); r.Reason != Complete {
		t.Errorf("reason %d %q", r.Reason, r.Message)
	}
}

// Connections to a loopback target come from as many addresses as asked for.
func TestSources(t *testing.T) {
	var mu sync.Mutex
	from := map[string]int{}
	url := rawServer(t, func(c net.Conn, _ int) bool {
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		mu.Lock()
		from[host]++
		mu.Unlock()
		write(c, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"+okBody)
		return true
	})
	d := open(t, &scenario.Target{URL: url, Connections: "per-turn"}, Options{Base: time.Now(), Sources: 4, OwnAddress: 5})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	for range 5 + 12 {
		var r Reply
		line.Do(&Turn{Text: []byte("hi")}, &r)
		if r.Reason != Complete {
			t.Fatalf("reason %d %q", r.Reason, r.Message)
		}
		line.Free(&r)
	}
	if len(from) != 5 || from["127.0.0.1"] != 5 {
		t.Errorf("from %v, want 127.0.0.1 five times and four others", from)
	}
	delete(from, "127.0.0.1")
	for host, n := range from {
		if n != 3 || !strings.HasPrefix(host, "127.") || host == "127.0.0.1" {
			t.Errorf("%s: %d connections", host, n)
		}
	}
	if got := []int{SourcesFor(9_999), SourcesFor(20_000), SourcesFor(100_000)}; got[0] != 1 || got[1] != 3 || got[2] != 11 {
		t.Errorf("sources for 9,999, 20,000, 100,000 connections: %v", got)
	}
}

// How many connections a policy makes: two users, two conversations each, two turns each.
func TestPolicies(t *testing.T) {
	srv := newChatServer(t, false)
	for _, version := range []string{"1.1", "h2c"} {
		for policy, want := range map[string]int64{"per-user": 2, "per-conversation": 4, "per-turn": 8, "shared": 1} {
			before := srv.conns.Load()
			d := open(t, &scenario.Target{URL: srv.URL, HTTP: scenario.HTTPVersion(version), Connections: scenario.Connections(policy), Pool: 1}, Options{Base: time.Now()})
			users := []*User{{ID: "a"}, {ID: "b"}}
			for _, u := range users {
				line := d.Open(u)
				for c := range 2 {
					if c == 1 && policy != "per-user" {
						line.Close()
						line = d.Open(u)
					}
					for range 2 {
						var r Reply
						line.Do(&Turn{Text: []byte("hi")}, &r)
						if r.Reason != Complete {
							t.Errorf("%s %s: reason %d %q", version, policy, r.Reason, r.Message)
						}
						line.Free(&r)
					}
				}
				line.Close()
			}
			if n := srv.conns.Load() - before; n != want {
				t.Errorf("%s %s: %d connections, want %d", version, policy, n, want)
			}
		}
	}
}

// Shared connections are opened beforehand when asked, and waited for when all
// are busy; who waits too long times out.
func TestSharedWait(t *testing.T) {
	for _, version := range []string{"1.1", "h2c"} {
		srv := newChatServer(t, false)
		d := open(t, &scenario.Target{URL: srv.URL, HTTP: scenario.HTTPVersion(version), Connections: "shared", Pool: 3, Timeout: unit.Duration(time.Minute)}, Options{Base: time.Now()})
		if err := d.Prepare(3); err != nil {
			t.Fatal(err)
		}
		if n := d.Connections(); n != 3 {
			t.Errorf("%s: %d connections", version, n)
		}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				line := d.Open(&User{ID: "u"})
				defer line.Close()
				for range 5 {
					var r Reply
					line.Do(&Turn{Text: []byte("hi")}, &r)
					if r.Reason != Complete || r.Connect != 0 {
						t.Errorf("%s: reason %d %q connect %d", version, r.Reason, r.Message, r.Connect)
					}
					line.Free(&r)
				}
			})
		}
		wg.Wait()
		if n := d.Connections(); n != 3 || srv.turns.Load() != 250 {
			t.Errorf("%s: %d connections, %d turns", version, n, srv.turns.Load())
		}
	}
	unreachable := open(t, &scenario.Target{URL: "http://127.0.0.1:1", Connections: "shared"}, Options{})
	if err := unreachable.Prepare(1); err == nil || !strings.Contains(err.Error(), "connect to 127.0.0.1:1: connection refused") {
		t.Errorf("error %v", err)
	}
}
