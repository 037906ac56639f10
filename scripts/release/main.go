// Command release builds cstest for every platform with the plain Go toolchain and
// packs what a release has: an archive a platform (the binary, licence, README, shell
// completions, man pages), an SBOM a binary, and the checksums.
//
//	go run ./scripts/release -out dist
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// platforms are those of .goreleaser.yaml.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

func main() {
	out := flag.String("out", "dist", "folder of the release, made anew")
	only := flag.String("only", "", "build this platform alone, as linux/amd64")
	most := flag.Int64("max-mb", 40, "fail where a binary has more than so many MB; 0 is no limit")
	flag.Parse()
	list := platforms
	if *only != "" {
		list = []string{*only}
	}
	if err := release(*out, list, *most); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func release(out string, list []string, most int64) error {
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(out, "build"), 0o755); err != nil {
		return err
	}
	stamp, err := commitTime()
	if err != nil {
		return err
	}
	extras, err := makeExtras(filepath.Join(out, "build"))
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, platform := range list {
		goos, goarch, ok := strings.Cut(platform, "/")
		if !ok {
			return fmt.Errorf("platform %q: want OS/ARCH", platform)
		}
		made, err := pack(out, goos, goarch, extras, stamp, most)
		if err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
		for _, file := range made {
			sum, err := digest(file)
			if err != nil {
				return err
			}
			fmt.Fprintf(&sums, "%s  %s\n", sum, filepath.Base(file))
		}
	}
	return os.WriteFile(filepath.Join(out, "checksums.txt"), []byte(sums.String()), 0o644)
}

// build makes the binary of a platform: static, without paths of this machine.
func build(to, goos, goarch string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", to, "./cmd/cstest")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// makeExtras has the binary of this machine write completions and man pages.
func makeExtras(dir string) (files []string, err error) {
	self := filepath.Join(dir, "cstest-host")
	if err := build(self, runtime.GOOS, runtime.GOARCH); err != nil {
		return nil, err
	}
	completions := filepath.Join(dir, "completions")
	if err := os.MkdirAll(completions, 0o755); err != nil {
		return nil, err
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		text, err := exec.Command(self, "completion", shell).Output()
		if err != nil {
			return nil, fmt.Errorf("completion %s: %w", shell, err)
		}
		if err := os.WriteFile(filepath.Join(completions, "cstest."+shell), text, 0o644); err != nil {
			return nil, err
		}
	}
	if out, err := exec.Command(self, "man", filepath.Join(dir, "man")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("man: %w: %s", err, out)
	}
	for _, pattern := range []string{"completions/*", "man/*"} {
		list, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, list...)
	}
	return files, os.Remove(self)
}

// member is a file of an archive.
type member struct {
	name string
	text []byte
	mode int64
}

// pack builds one platform and gives the files of the release that are its own.
func pack(out, goos, goarch string, extras []string, stamp time.Time, most int64) (made []string, err error) {
	name := "cstest"
	if goos == "windows" {
		name += ".exe"
	}
	binary := filepath.Join(out, "build", goos+"-"+goarch, name)
	if err := build(binary, goos, goarch); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	fmt.Printf("%-16s %5.1f MB\n", goos+"/"+goarch, float64(len(text))/1e6)
	if most > 0 && int64(len(text)) > most*1e6 {
		return nil, fmt.Errorf("the binary has %.1f MB, more than %d", float64(len(text))/1e6, most)
	}
	list := []member{{name, text, 0o755}}
	for _, path := range slices.Concat([]string{"LICENSE", "README.md", "README.zh-CN.md", "CHANGELOG.md"}, extras) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		base := filepath.Base(path)
		if dir := filepath.Base(filepath.Dir(path)); dir == "completions" || dir == "man" {
			base = dir + "/" + base
		}
		list = append(list, member{base, text, 0o644})
	}
	stem := filepath.Join(out, "cstest-"+goos+"-"+goarch)
	archive, write := stem+".tar.gz", writeTar
	if goos == "windows" {
		archive, write = stem+".zip", writeZip
	}
	packed, err := write(list, "cstest-"+goos+"-"+goarch+"/", stamp)
	if err != nil {
		return nil, err
	}
	bill, err := sbom(binary, stamp)
	if err != nil {
		return nil, err
	}
	for path, text := range map[string][]byte{archive: packed, stem + ".cdx.json": bill} {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return nil, err
		}
	}
	return []string{archive, stem + ".cdx.json"}, nil
}

func writeTar(list []member, prefix string, stamp time.Time) ([]byte, error) {
	var b bytes.Buffer
	zipped, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level exists
	w := tar.NewWriter(zipped)
	for _, m := range list {
		if err := w.WriteHeader(&tar.Header{Name: prefix + m.name, Mode: m.mode, Size: int64(len(m.text)), ModTime: stamp, Format: tar.FormatPAX}); err != nil {
			return nil, err
		}
		if _, err := w.Write(m.text); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func writeZip(list []member, prefix string, stamp time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range list {
		h := &zip.FileHeader{Name: prefix + m.name, Method: zip.Deflate, Modified: stamp}
		h.SetMode(os.FileMode(m.mode))
		f, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(m.text); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// commitTime is when the commit was made, so that the same commit gives the same
// archives.
func commitTime() (time.Time, error) {
	text, err := exec.Command("git", "log", "-1", "--format=%ct").Output()
	if err != nil {
		return time.Time{}, fmt.Errorf("git log: %w", err)
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return time.Unix(seconds, 0).UTC(), err
}

func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
