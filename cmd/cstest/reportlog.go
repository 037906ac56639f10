package main

import (
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/histograms"
	"github.com/cstest/cstest/result"
)

// logUnits are what the values of a log may count; the log does not say.
var logUnits = map[string]time.Duration{"": time.Nanosecond, "ns": time.Nanosecond, "us": time.Microsecond, "ms": time.Millisecond}

// isLog tells a histogram log from a result: it is a file.
func isLog(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && filepath.Base(path) != result.DocumentFile
}

// reportLog prints the histogram log at path, of cstest or any other tool.
func reportLog(s streams, o reportOptions, path string) error {
	counts, ok := logUnits[o.unit]
	if !ok {
		return usagef("--unit %q: want ns, us or ms", o.unit)
	}
	if o.format != "text" && o.format != "json" {
		return usagef("--format %s is for a result's directory; a histogram log is printed as text or json", escape.Clean(o.format))
	}
	f, err := os.Open(path)
	if err != nil {
		return usageError{err}
	}
	defer f.Close()
	log, err := result.ReadLog(f, filepath.Base(path), counts)
	if err != nil {
		return usagef("%s: %s", escape.Clean(path), escape.Clean(err.Error()))
	}
	return o.to(s.out, func(w io.Writer) error {
		if o.format == "json" {
			return histograms.WriteJSON(log, w)
		}
		return histograms.WriteText(log, w)
	})
}
