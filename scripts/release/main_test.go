package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// goreleaser builds what this command builds.
func TestPlatformsAreGoreleasers(t *testing.T) {
	text, err := os.ReadFile("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Builds []struct{ Goos, Goarch, Ldflags, Flags, Env []string }
	}
	if err := yaml.Unmarshal(text, &c); err != nil || len(c.Builds) != 1 {
		t.Fatal(err, len(c.Builds))
	}
	var want []string
	for _, goos := range c.Builds[0].Goos {
		for _, arch := range c.Builds[0].Goarch {
			want = append(want, goos+"/"+arch)
		}
	}
	if !slices.Equal(want, platforms) {
		t.Errorf("%v, here %v", want, platforms)
	}
}

func TestArchives(t *testing.T) {
	stamp := time.Unix(1_790_000_000, 0).UTC()
	list := []member{{"cstest", []byte("binary"), 0o755}, {"man/cstest.1", []byte(".TH"), 0o644}}
	packed, err := writeTar(list, "x/", stamp)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := writeTar(list, "x/", stamp)
	if !bytes.Equal(packed, again) {
		t.Error("the same files give other bytes")
	}
	zipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(zipped)
	for _, m := range list {
		h, err := r.Next()
		if err != nil || h.Name != "x/"+m.name || h.Mode != m.mode || !h.ModTime.Equal(stamp) {
			t.Fatalf("%+v %v", h, err)
		}
		if text, err := io.ReadAll(r); err != nil || !bytes.Equal(text, m.text) {
			t.Errorf("%s: %q %v", m.name, text, err)
		}
	}
	packed, err = writeZip(list, "x/", stamp)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil || len(z.File) != 2 || z.File[0].Name != "x/cstest" || z.File[0].Mode() != 0o755 {
		t.Errorf("%v", err)
	}
}

// The bill names the toolchain, and every module with the sum of its files.
func TestSBOM(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := sbom(self, time.Unix(0, 0).UTC())
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BOMFormat   string
		SpecVersion string
		Components  []component
	}
	if err := json.Unmarshal(text, &bill); err != nil || bill.BOMFormat != "CycloneDX" || bill.SpecVersion != "1.5" {
		t.Fatalf("%v %s", err, text)
	}
	if len(bill.Components) == 0 || bill.Components[0].Name != "std" {
		t.Errorf("%s", text)
	}
	c := moduleOf(&debug.Module{Path: "go.yaml.in/yaml/v4", Version: "v4.0.0", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}, "library")
	if c.PURL != "pkg:golang/go.yaml.in/yaml/v4@v4.0.0" || len(c.Hashes) != 1 || c.Hashes[0].Content != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("%+v", c)
	}
}
