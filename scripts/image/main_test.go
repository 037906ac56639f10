//go:build unix

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func unpack(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	in := tar.NewReader(r)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = b
	}
}

// The archive is read as a runtime reads it, and its program runs in a root that
// holds nothing else.
func TestImageHoldsOneProgramThatRunsAlone(t *testing.T) {
	source := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"os\"\n\nfunc main() { e, _ := os.ReadDir(\"/\"); println(len(e)) }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-o", program, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	out := filepath.Join(t.TempDir(), "image.tar")
	if err := run(program, "x/cstest:1", out); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := unpack(t, f)
	open := func(b blob) []byte {
		data := files["blobs/sha256/"+strings.TrimPrefix(b.Digest, "sha256:")]
		if digest(data) != b.Digest || len(data) != b.Size {
			t.Fatalf("blob %s is not itself", b.Digest)
		}
		return data
	}
	read := func(data []byte, to any) {
		if err := json.Unmarshal(data, to); err != nil {
			t.Fatal(err)
		}
	}
	var index struct{ Manifests []blob }
	var manifest struct {
		Config blob
		Layers []blob
	}
	var config struct {
		Config struct {
			User       string
			Entrypoint []string
		}
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	read(files["index.json"], &index)
	read(open(index.Manifests[0]), &manifest)
	read(open(manifest.Config), &config)
	if config.Config.User != "65532:65532" || config.Config.Entrypoint[0] != "/cstest" || index.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "x/cstest:1" {
		t.Errorf("config %+v, named %v", config, index.Manifests[0].Annotations)
	}
	z, err := gzip.NewReader(bytes.NewReader(open(manifest.Layers[0])))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := io.ReadAll(z)
	if err != nil || digest(layer) != config.RootFS.DiffIDs[0] {
		t.Fatalf("the layer is not the one of the config: %v", err)
	}
	inside := unpack(t, bytes.NewReader(layer))
	if len(inside) != 2 || len(inside["cstest"]) == 0 {
		t.Fatalf("%d files in the layer", len(inside))
	}
	if os.Getuid() != 0 {
		t.Skip("a root of its own is for root to make")
	}
	root := t.TempDir()
	for dir := root; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "cstest"), inside["cstest"], 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/cstest")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	cmd.Dir = "/"
	if text, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(text)) != "1" {
		t.Errorf("alone: %v\n%s", err, text)
	}
}
