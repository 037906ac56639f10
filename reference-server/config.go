package refserver

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"slices"

	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/token"
)

// Secret is a value that never shows in logs, JSON or error texts.
type Secret string

// String prints a placeholder, never the value.
func (Secret) String() string { return "[redacted]" }

// GoString prints a placeholder, never the value.
func (Secret) GoString() string { return "[redacted]" }

// MarshalText writes a placeholder, never the value.
func (Secret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// Config says how a Server is started. The zero value is not usable: LLM and
// Secrets are needed (Secrets not with Dev). A Config is read once by Start.
type Config struct {
	Listen         string            `json:"listen"`          // public address, default 127.0.0.1:0
	AdminListen    string            `json:"admin_listen"`    // admin address, default 127.0.0.1:0; not loopback only with AdminToken
	AdminToken     Secret            `json:"admin_token"`     // bearer token for the admin listener; empty: none asked
	LLM            string            `json:"llm"`             // base URL of the model's API
	LLMKey         Secret            `json:"llm_key"`         // bearer token sent to the model; empty: none
	Redis          string            `json:"redis"`           // redis:// URL; empty or "embedded": a miniredis in this process
	Profile        string            `json:"profile"`         // hardened (default), article-0 … article-3
	Knobs          map[string]string `json:"knobs"`           // overrides by name, in the written form of Knobs
	Secrets        map[string]Secret `json:"secrets"`         // JWT keys by kid, 32 bytes or more
	IDKey          Secret            `json:"id_key"`          // key of the MACs in ids, 32 bytes or more; empty: derived from the only one of Secrets
	Dev            bool              `json:"dev"`             // loopback only: fixed secret when none given, POST /dev/token
	ReusePort      bool              `json:"reuse_port"`      // several processes on Listen, among which the kernel spreads connections: Linux, a Redis for all
	H2C            bool              `json:"h2c"`             // also accept HTTP/2 in clear text
	TLSCert        string            `json:"tls_cert"`        // PEM file; with TLSKey the public listener speaks TLS (and HTTP/2)
	TLSKey         string            `json:"tls_key"`         // PEM file
	TrustedOrigins []string          `json:"trusted_origins"` // origins a browser may open the agents' WebSocket from
	Pprof          bool              `json:"pprof"`           // the admin listener serves /debug/pprof/
	Log            io.Writer         `json:"-"`               // where log lines go, default discarded
	MaxConnections int               `json:"max_connections"` // public listener, default 20,000
}

const (
	loopbackAny = "127.0.0.1:0"
	devKid      = "k1"
	devSecret   = Secret("cstest-development-secret-loopback-only")
	minSecret   = 32
)

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = loopbackAny
	}
	if c.AdminListen == "" {
		c.AdminListen = loopbackAny
	}
	if c.Redis == "embedded" {
		c.Redis = ""
	}
	if c.Profile == "" {
		c.Profile = knobs.Hardened
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 20_000
	}
	if c.Dev && len(c.Secrets) == 0 {
		c.Secrets = map[string]Secret{devKid: devSecret}
	}
	return c
}

func (c Config) check() error {
	var errs []error
	u, err := url.Parse(c.LLM)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		errs = append(errs, errors.New("llm: want the base URL of the model's API, such as http://127.0.0.1:9000"))
	}
	for _, kid := range slices.Sorted(maps.Keys(c.Secrets)) {
		if kid == "" || len(kid) > token.MaxKid {
			errs = append(errs, fmt.Errorf("secrets: key id must have 1 to %d characters", token.MaxKid))
		}
		if len(c.Secrets[kid]) < minSecret {
			errs = append(errs, fmt.Errorf("secrets: key %q has %d bytes, want %d or more", kid, len(c.Secrets[kid]), minSecret))
		}
	}
	switch {
	case c.IDKey != "" && len(c.IDKey) < minSecret:
		errs = append(errs, fmt.Errorf("id_key: has %d bytes, want %d or more", len(c.IDKey), minSecret))
	case c.IDKey == "" && len(c.Secrets) > 1:
		errs = append(errs, errors.New("id_key: needed beside several secrets, or retiring one would make every dialog unknown"))
	}
	if c.Dev && !loopback(c.Listen) {
		errs = append(errs, fmt.Errorf("listen: %s is not loopback, which --dev needs", c.Listen))
	}
	if !loopback(c.AdminListen) && c.AdminToken == "" {
		errs = append(errs, fmt.Errorf("admin_listen: %s is not loopback: give a token file", c.AdminListen))
	}
	if c.ReusePort && c.Redis == "" {
		errs = append(errs, errors.New("redis: processes on one port need one Redis for all, and an embedded one is in each"))
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		errs = append(errs, errors.New("tls: certificate and key are needed together"))
	}
	return errors.Join(errs...)
}

// loopback says whether addr (host:port) can only be reached from this machine.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// keys are the keys of tokens by their ids. Without any the server starts all
// the same, is not ready and answers 500: a missing key file is the operator's
// fault, never the caller's.
func (c Config) keys() map[string][]byte {
	keys := make(map[string][]byte, len(c.Secrets))
	for kid, secret := range c.Secrets {
		keys[kid] = []byte(secret)
	}
	return keys
}

// idKey is what the MACs in ids are keyed by: a key of its own, which outlives those
// of tokens, or the only one of those. Without any, nothing is served anyway.
func (c Config) idKey() []byte {
	if c.IDKey != "" {
		return []byte(c.IDKey)
	}
	return []byte(c.Secrets[c.firstKid()])
}

// firstKid is the least key id.
func (c Config) firstKid() string {
	least := ""
	for kid := range c.Secrets {
		if least == "" || kid < least {
			least = kid
		}
	}
	return least
}
