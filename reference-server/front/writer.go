package front

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// writer keeps an answer until it is sent.
type writer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is that of http.ResponseWriter.
func (w *writer) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header, 8)
	}
	return w.header
}

// WriteHeader is that of http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write is that of http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// bytes are the answer as it is sent.
func (w *writer) bytes(now time.Time) []byte {
	b := make([]byte, 0, 512+w.body.Len())
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(w.status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(w.status)...)
	for name, values := range w.header {
		for _, v := range values {
			b = append(b, "\r\n"...)
			b = append(b, name...)
			b = append(b, ": "...)
			b = append(b, v...)
		}
	}
	b = append(b, "\r\nDate: "...)
	b = now.UTC().AppendFormat(b, http.TimeFormat)
	b = append(b, "\r\n\r\n"...)
	return append(b, w.body.Bytes()...)
}
