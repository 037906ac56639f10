package dial

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cstest/cstest/scenario"
)

// maxPEM is more than any bundle of root certificates.
const maxPEM = 4 << 20

// TLS is what t says, nil for nothing, of connections to host. Paths are
// relative to dir.
func TLS(t *scenario.TLS, host, dir string) (*tls.Config, error) {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if t == nil {
		return config, nil
	}
	config.ServerName = cmp.Or(t.ServerName, host)
	config.InsecureSkipVerify = t.Insecure
	if t.CA != "" {
		pem, err := readPEM(dir, t.CA)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca: no certificate in %s: give a PEM file", t.CA)
		}
	}
	if t.Cert == "" && t.Key == "" {
		return config, nil
	}
	if t.Cert == "" || t.Key == "" {
		return nil, errors.New("tls: cert and key go together")
	}
	cert, err := readPEM(dir, t.Cert)
	if err != nil {
		return nil, fmt.Errorf("tls.cert: %w", err)
	}
	key, err := readPEM(dir, t.Key)
	if err != nil {
		return nil, fmt.Errorf("tls.key: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("tls.cert and tls.key: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

func readPEM(dir, path string) ([]byte, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	return io.ReadAll(io.LimitReader(f, maxPEM))
}
