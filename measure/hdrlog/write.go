// Package hdrlog writes histograms as HdrHistogram logs, and reads those of any tool.
package hdrlog

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/cstest/cstest/measure"
)

// Entry is one histogram of an HdrHistogram log, over [From, To) from the log's start.
type Entry struct {
	Tag       string
	From, To  time.Duration
	Histogram *measure.Histogram // nil is empty
}

// Write writes histograms as an HdrHistogram log, version 1.3, values in
// nanoseconds and maxima in milliseconds, readable by the HdrHistogram tools. It
// errs, before it writes anything, on a tag that would break a line of the log.
// Comments may have several lines.
func Write(w io.Writer, start time.Time, comments []string, entries []Entry) error {
	for i := range entries {
		if err := checkTag(entries[i].Tag); err != nil {
			return err
		}
	}
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "#[Histogram log format version 1.3]")
	for _, c := range comments {
		for line := range strings.FieldsFuncSeq(c, isLineBreak) {
			fmt.Fprintf(out, "#%s\n", commentLine(line))
		}
	}
	seconds := float64(start.UnixMilli()) / 1000
	fmt.Fprintf(out, "#[StartTime: %.3f (seconds since epoch), %s]\n", seconds, start.UTC().Format(time.RFC3339))
	fmt.Fprintf(out, "#[BaseTime: %.3f (seconds since epoch)]\n", seconds)
	fmt.Fprintln(out, `"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"`)
	for i := range entries {
		e := &entries[i]
		h := e.Histogram
		if h == nil {
			h = measure.NewHistogram()
		}
		encoded, err := h.Encode()
		if err != nil {
			return fmt.Errorf("hlog: %w", err)
		}
		if e.Tag != "" {
			fmt.Fprintf(out, "Tag=%s,", e.Tag)
		}
		fmt.Fprintf(out, "%.3f,%.3f,%.3f,%s\n", e.From.Seconds(), (e.To - e.From).Seconds(), float64(h.Max())/1e6, encoded)
	}
	return out.Flush()
}

// checkTag refuses what ends a tag or its line: the library's own check lets a
// separator at either end through.
func checkTag(tag string) error {
	if i := strings.IndexFunc(tag, func(r rune) bool { return r == ',' || unicode.IsSpace(r) || unicode.IsControl(r) }); i >= 0 {
		return fmt.Errorf("hlog: tag %q holds a comma, a space or a control character at %d", tag, i)
	}
	return nil
}

func isLineBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\v' || r == '\f' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// commentLine keeps a comment from being read as one of the log's own lines.
func commentLine(line string) string {
	if strings.HasPrefix(line, "[") {
		return " " + line
	}
	return line
}
