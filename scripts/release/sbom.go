package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
)

// component is one of CycloneDX 1.5.
type component struct {
	Type    string  `json:"type"`
	Ref     string  `json:"bom-ref"`
	Name    string  `json:"name"`
	Version string  `json:"version,omitempty"`
	PURL    string  `json:"purl"`
	Hashes  []cHash `json:"hashes,omitempty"`
}

type cHash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

// sbom lists the modules that a binary was linked from, as the Go toolchain wrote
// them into it, in the form of CycloneDX 1.5.
func sbom(binary string, stamp time.Time) ([]byte, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("sbom: %w", err)
	}
	bill := struct {
		Format    string `json:"bomFormat"`
		Spec      string `json:"specVersion"`
		Version   int    `json:"version"`
		Metadata  any    `json:"metadata"`
		Component []any  `json:"components"`
	}{"CycloneDX", "1.5", 1, map[string]any{"timestamp": stamp.Format(time.RFC3339), "component": moduleOf(&info.Main, "application")}, nil}
	bill.Component = append(bill.Component, component{Type: "library", Ref: "pkg:golang/std@" + info.GoVersion, Name: "std", Version: info.GoVersion, PURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")})
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		bill.Component = append(bill.Component, moduleOf(m, "library"))
	}
	return json.MarshalIndent(bill, "", "  ")
}

func moduleOf(m *debug.Module, kind string) component {
	purl := "pkg:golang/" + m.Path + "@" + url.PathEscape(m.Version)
	c := component{Type: kind, Ref: purl, Name: m.Path, Version: m.Version, PURL: purl}
	if sum, ok := strings.CutPrefix(m.Sum, "h1:"); ok {
		if raw, err := base64.StdEncoding.DecodeString(sum); err == nil {
			c.Hashes = []cHash{{"SHA-256", hex.EncodeToString(raw)}}
		}
	}
	return c
}
