package refserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
)

// The article's client reads cost_ms as a whole number; headers are finer.
func TestCostIsAWholeNumber(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	r := say(t, s, "u1", "", "说点什么吧")
	if raw := r.get("cost_ms").Raw; strings.Trim(raw, "0123456789") != "" || raw == "" {
		t.Errorf("cost_ms is %q", raw)
	}
	if timing := r.header.Get("Server-Timing"); !strings.Contains(timing, "total;dur=") || !strings.Contains(timing, "redis;dur=") {
		t.Errorf("Server-Timing %q", timing)
	}
}

func TestWrongMethodsHearTheRightOnes(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, nil)
	for _, c := range []struct{ method, path, allow string }{
		{"GET", "/v1/chat", "POST"},
		{"PUT", "/v1/chat/stream", "POST"},
		{"POST", "/v1/dialogs/" + testDialog, "DELETE, GET, HEAD"},
		{"PATCH", "/v1/tickets/" + testDialog, "GET, HEAD"},
		{"POST", "/healthz", "GET, HEAD"},
	} {
		r := send(t, c.method, s.URL()+c.path, tokenFor(t, "u1"), "")
		if r.status != 405 || r.header.Get("Allow") != c.allow || r.get("code").String() != "method-not-allowed" {
			t.Errorf("%s %s: %d, Allow %q, want %q", c.method, c.path, r.status, r.header.Get("Allow"), c.allow)
		}
	}
	if r := send(t, "GET", s.URL()+"/nowhere", tokenFor(t, "u1"), ""); r.status != 404 || r.header.Get("Allow") != "" {
		t.Errorf("no such path: %d, Allow %q", r.status, r.header.Get("Allow"))
	}
}

// A stream says in its headers what an answer as a whole does.
func TestStreamsHaveTierAndTiming(t *testing.T) {
	s := startServer(t, sseModel(t, "好的,马上。"), withKnobs("redis.timeout", "2s"))
	r, _ := streamTurn(t, s, "", "随便聊两句")
	if r.header.Get("X-Degrade-Tier") != "llm" || !strings.Contains(r.header.Get("Server-Timing"), "llm;dur=") || strings.Contains(r.header.Get("Server-Timing"), "llm;dur=0.000") {
		t.Errorf("from the model: tier %q, timing %q", r.header.Get("X-Degrade-Tier"), r.header.Get("Server-Timing"))
	}
	force(t, s, "faq")
	r, _ = streamTurn(t, s, "", "优惠券在哪里领")
	if r.header.Get("X-Degrade-Tier") != "faq" || r.header.Get("Server-Timing") == "" {
		t.Errorf("from the FAQ: tier %q, timing %q", r.header.Get("X-Degrade-Tier"), r.header.Get("Server-Timing"))
	}
}

// Each line about a request says in a word what became of it.
func TestLogLinesHaveAnOutcome(t *testing.T) {
	l := newScriptedLLM(t)
	var log lockedBuffer
	s := startServer(t, l.url, func(c *Config) {
		c.Log = &log
		c.Knobs = map[string]string{"redis.timeout": "2s", "log.requests": "all"}
	})
	firstTurn(t, s, "u1", "t-1", "说点什么吧")
	firstTurn(t, s, "u1", "t-1", "说点什么吧")
	send(t, "POST", s.URL()+"/v1/chat", "bad", `{"text":"x"}`)
	force(t, s, "faq")
	say(t, s, "u1", "", "优惠券在哪里领")
	send(t, "GET", s.URL()+"/nowhere", "", "")
	want := []string{"ok", "replayed", "unauthorized", "degraded", "not-found"}
	var got []string
	waitFor(t, func() bool {
		got = got[:0]
		for line := range strings.SplitSeq(log.String(), "\n") {
			if gjson.Get(line, "msg").Str == "request" && gjson.Get(line, "route").Str != "admin" {
				got = append(got, gjson.Get(line, "outcome").Str)
			}
		}
		return len(got) == len(want)
	})
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
}

// The public side over TLS, in HTTP/1.1 and HTTP/2.
func TestPublicListenerOverTLS(t *testing.T) {
	cert, key, pool := selfSigned(t)
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) {
		c.TLSCert, c.TLSKey, c.Knobs = cert, key, map[string]string{"redis.timeout": "2s"}
	})
	for _, want := range []int{1, 2} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: want == 2}}
		req, err := http.NewRequest(http.MethodPost, s.URL()+"/v1/chat", strings.NewReader(`{"text":"说点什么吧"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+tokenFor(t, "u1"))
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.ProtoMajor != want {
			t.Errorf("HTTP/%d wanted: %s over %s", want, resp.Status, resp.Proto)
		}
		client.CloseIdleConnections()
	}
}

func selfSigned(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return certFile, keyFile, pool
}
