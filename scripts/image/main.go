// Command image writes an OCI archive that holds one static program and nothing
// else, with the plain Go toolchain: no daemon, no registry.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
)

func main() {
	program := flag.String("program", "bin/cstest-static", "the static program, for /cstest")
	name := flag.String("name", "cstest:latest", "name of the image")
	out := flag.String("out", "dist/cstest-image.tar", "where the archive goes")
	flag.Parse()
	if err := run(*program, *name, *out); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(program, name, out string) error {
	binary, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	return errors.Join(write(f, name, runtime.GOARCH, binary), f.Close())
}

// blob is what an image refers to by its digest.
type blob struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	data        []byte
}

func blobOf(mediaType string, data []byte) blob {
	return blob{MediaType: mediaType, Digest: digest(data), Size: len(data), data: data}
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

type object = map[string]any

// write writes the image: a layer with the program and a folder for temporary
// files, run by nobody in particular. The same program gives the same bytes.
func write(to io.Writer, name, arch string, binary []byte) error {
	layer, err := archive([]tar.Header{
		{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777},
		{Name: "cstest", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(binary))},
	}, [][]byte{nil, binary})
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(layer); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	config, err := json.Marshal(object{
		"architecture": arch, "os": "linux",
		"config": object{"Entrypoint": []string{"/cstest"}, "User": "65532:65532", "WorkingDir": "/tmp", "Env": []string{"HOME=/tmp"}},
		"rootfs": object{"type": "layers", "diff_ids": []string{digest(layer)}},
	})
	if err != nil {
		return err
	}
	top := blobOf("application/vnd.oci.image.layer.v1.tar+gzip", packed.Bytes())
	settings := blobOf("application/vnd.oci.image.config.v1+json", config)
	manifest, err := json.Marshal(object{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": settings, "layers": []blob{top},
	})
	if err != nil {
		return err
	}
	root := blobOf("application/vnd.oci.image.manifest.v1+json", manifest)
	root.Annotations = map[string]string{"org.opencontainers.image.ref.name": name, "io.containerd.image.name": name}
	index, err := json.Marshal(object{"schemaVersion": 2, "manifests": []blob{root}})
	if err != nil {
		return err
	}
	files := map[string][]byte{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`), "index.json": index}
	order := []string{"oci-layout", "index.json"}
	for _, b := range []blob{root, settings, top} {
		path := "blobs/sha256/" + b.Digest[len("sha256:"):]
		files[path], order = b.data, append(order, path)
	}
	var heads []tar.Header
	var data [][]byte
	for _, path := range order {
		heads = append(heads, tar.Header{Name: path, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[path]))})
		data = append(data, files[path])
	}
	whole, err := archive(heads, data)
	if err != nil {
		return err
	}
	_, err = to.Write(whole)
	return err
}

func archive(heads []tar.Header, data [][]byte) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i := range heads {
		if err := w.WriteHeader(&heads[i]); err != nil {
			return nil, err
		}
		if _, err := w.Write(data[i]); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}
