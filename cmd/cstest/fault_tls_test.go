package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/result"
)

// certificate makes a self-signed one for 127.0.0.1 or for another name, and a
// file that trusts it.
func certificate(t *testing.T, name string, until time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, ca
}

// resetting accepts connections and resets them once the client has spoken.
type resetting struct{ net.Listener }

func (l resetting) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		var hello [1]byte
		_, _ = c.Read(hello[:])
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
}

// A5: what is wrong with a certificate or a handshake is said in a line, before
// any load.
func TestTLSThatCannotBeUsedIsToldBeforeTheLoad(t *testing.T) {
	t.Parallel()
	hour := time.Now().Add(time.Hour)
	for _, tt := range []struct {
		name, host string
		until      time.Time
		most       uint16
		reset      bool
		args       []string
		trust      bool
		want       string // empty: it can be used
	}{
		{name: "trusted", host: "127.0.0.1", until: hour, trust: true},
		{name: "unknown authority", host: "127.0.0.1", until: hour, want: "tls: the certificate is signed by an unknown authority"},
		{name: "expired", host: "127.0.0.1", until: time.Now().Add(-time.Hour), trust: true, want: "tls: the certificate is expired or not yet valid"},
		{name: "wrong host", host: "other.example", until: hour, trust: true, want: "tls: the certificate is for another host"},
		{name: "TLS 1.0 only", host: "127.0.0.1", until: hour, most: tls.VersionTLS10, trust: true, want: "tls: protocol version not supported"},
		{name: "no such file", host: "127.0.0.1", until: hour, args: []string{"--set", "target.tls.ca=/no/such/file"}, want: "target: tls.ca: open /no/such/file: no such file"},
		{name: "reset in the handshake", host: "127.0.0.1", until: hour, reset: true, trust: true, want: "connection closed by the server while it was being made"},
		{name: "insecure, expired and another's", host: "other.example", until: time.Now().Add(-time.Hour), args: []string{"--insecure"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cert, ca := certificate(t, tt.host, tt.until)
			l := listen(t, "127.0.0.1:0")
			url := "https://" + l.Addr().String()
			if tt.reset {
				l = resetting{l}
			}
			srv := &talker{}
			srv.serve(t, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: min(tls.VersionTLS12, max(tt.most, tls.VersionTLS10)), MaxVersion: tt.most}))
			more := ""
			if tt.trust {
				more = ", tls: {ca: '" + ca + "'}"
			}
			path := write(t, direct(url, more, "{arrivals: constant, stages: [{name: s, for: 1s, starts: 20/s}], drain: 5s}"))
			dir := filepath.Join(t.TempDir(), "result")
			r := cstest(t, append([]string{"run", path, "--results-dir", dir, "--on-inconclusive", "pass"}, tt.args...)...)
			if tt.want != "" {
				if c, _ := srv.counts(); r.code != exitTarget || !strings.Contains(r.stderr, tt.want) || strings.Count(r.stderr, url) < 1 || c.Turns != 0 {
					t.Errorf("exit %d, want %d and %q; %d turns\n%s", r.code, exitTarget, tt.want, c.Turns, r.stderr)
				}
				if _, err := os.Stat(filepath.Join(dir, result.DocumentFile)); err == nil {
					t.Error("it left a result")
				}
				return
			}
			doc := open(t, dir)
			if r.code != 0 || doc.Counts.OK != 40 {
				t.Errorf("exit %d, %+v\n%s", r.code, doc.Counts, r.stderr)
			}
			insecure := len(tt.args) > 0
			if doc.Target.Insecure != insecure || strings.Contains(r.stderr, "certificate not checked") != insecure || strings.Contains(r.stdout, "TLS certificates were not checked") != insecure {
				t.Errorf("insecure %v, the report says %v\n%s\n%s", insecure, doc.Target.Insecure, r.stderr, r.stdout)
			}
			if insecure && !mentions(doc.Overrides, "target.tls.insecure=true") {
				t.Errorf("overrides %q", doc.Overrides)
			}
		})
	}
}
