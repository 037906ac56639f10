package surface

import (
	"bytes"
	"compress/gzip"
	"strings"
	"sync"
)

// gzipFrom is the size in bytes from which answers are compressed.
const gzipFrom = 500

// acceptsGzip reads Accept-Encoding: gzip named, and not with q=0.
func acceptsGzip(h string) bool {
	for part := range strings.SplitSeq(h, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q := strings.ReplaceAll(strings.ToLower(params), " ", "")
		return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
	}
	return false
}

// gzipPool holds writers between answers: one is 800 KiB of tables.
type gzipPool struct{ pool sync.Pool }

func (p *gzipPool) compress(body []byte) []byte {
	var out bytes.Buffer
	w, ok := p.pool.Get().(*gzip.Writer)
	if !ok {
		w, _ = gzip.NewWriterLevel(&out, gzip.BestSpeed)
	}
	w.Reset(&out)
	_, _ = w.Write(body)
	_ = w.Close()
	p.pool.Put(w)
	return out.Bytes()
}
