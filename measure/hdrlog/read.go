package hdrlog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cstest/cstest/measure"
)

// What a log may ask of its reader. A log of cstest's, or of any tool at three
// digits, stays far below.
const (
	maxLine    = 2 << 20
	maxPayload = 1 << 20 // of one histogram, inflated
	maxTags    = 4096
	maxTag     = 256
	maxBuckets = 1 << 19 // of all tags
	// What all histograms may inflate to: as much, and for each byte of the log so
	// many more. Counts that stand for something hardly compress.
	freeInflation = 2 << 20
	inflation     = 4
)

// Log is an HdrHistogram log that was read.
type Log struct {
	Start  time.Time // as the log says; zero where it does not
	Series []Series  // one for each tag, as they first came
}

// Read reads an HdrHistogram log of version 1.1 to 1.3 with compressed V2
// histograms, as Write and the HdrHistogram libraries write them, and adds up
// the intervals of each tag. A log does not say what its values count: unit is
// one of them, a nanosecond in nearly all. Whatever r holds, memory is bounded:
// errors name the line and what to do.
func Read(r io.Reader, unit time.Duration) (*Log, error) {
	if unit <= 0 {
		return nil, fmt.Errorf("hlog: unit %s: want a nanosecond, a microsecond or a millisecond", unit)
	}
	l := reader{unit: unit, at: map[string]int{}, first: math.NaN(), start: math.NaN(), base: math.NaN()}
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := l.read(in)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("hlog: line %d: %w", l.number, err)
		}
		if len(line) > 0 {
			if err := l.line(line); err != nil {
				return nil, fmt.Errorf("hlog: line %d: %w", l.number, err)
			}
		}
		if err != nil {
			break
		}
	}
	if len(l.series) == 0 {
		return nil, errors.New("hlog: no histogram in it: want the log of a run that recorded something")
	}
	out := &Log{Series: make([]Series, len(l.series))}
	if !math.IsNaN(l.first) {
		out.Start = time.UnixMilli(int64(math.Round(l.first * 1000))).UTC()
	}
	for i := range l.series {
		out.Series[i] = l.series[i].finish(unit)
	}
	return out, nil
}

// reader is the state of one reading. Times are seconds, NaN where the log
// has not said.
type reader struct {
	unit     time.Duration
	number   int // of the line
	bytes    int64
	inflated int64
	buckets  int
	long     []byte // a line longer than the buffer
	zlib     io.ReadCloser

	first   float64 // the first StartTime, since the epoch
	start   float64 // the last
	base    float64
	origin  float64 // what From and To count from
	counted bool    // origin is set

	at     map[string]int
	series []tally
}

// tally is one tag while its intervals are added up.
type tally struct {
	tag       string
	intervals int
	from, to  time.Duration
	n         int64
	counts    map[span]int64
}

// read gives the next line without its end. It errs with io.EOF at the last.
func (l *reader) read(in *bufio.Reader) ([]byte, error) {
	l.number++
	l.long = l.long[:0]
	for {
		piece, err := in.ReadSlice('\n')
		l.bytes += int64(len(piece))
		if len(l.long)+len(piece) > maxLine {
			return nil, fmt.Errorf("longer than %d MiB: this is no histogram log", maxLine>>20)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			l.long = append(l.long, piece...)
			continue
		}
		if len(l.long) > 0 {
			l.long = append(l.long, piece...)
			piece = l.long
		}
		if l.number == 1 {
			piece = bytes.TrimPrefix(piece, []byte("\xef\xbb\xbf"))
		}
		return bytes.TrimRight(piece, "\r\n"), err
	}
}

// line takes one line that is not empty.
func (l *reader) line(line []byte) error {
	if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
		return l.foreign(line)
	}
	text := string(bytes.TrimSpace(line))
	switch {
	case text == "", text[0] == '"': // the legend
		return nil
	case text[0] == '#':
		return l.comment(text)
	}
	tag := ""
	if rest, ok := strings.CutPrefix(text, "Tag="); ok {
		if tag, text, ok = strings.Cut(rest, ","); !ok {
			return errors.New("a tag and no histogram: the log was cut off here")
		}
		if err := checkTag(tag); err != nil {
			return err
		}
		if len(tag) > maxTag {
			return fmt.Errorf("a tag of %d bytes: want at most %d", len(tag), maxTag)
		}
	}
	fields := strings.SplitN(text, ",", 4)
	if len(fields) < 4 {
		return l.foreign(line)
	}
	at, ok := secondsOf(fields[0])
	length, fine := secondsOf(fields[1])
	if _, good := secondsOf(fields[2]); !ok || !fine || !good {
		return l.foreign(line)
	}
	return l.interval(tag, at, length, strings.TrimSpace(fields[3]))
}

// foreign says of a line that is no line of a log what the file may be.
func (l *reader) foreign(line []byte) error {
	if len(l.series) > 0 {
		return errors.New("not a line of a histogram log: want START,LENGTH,MAX,HISTOGRAM")
	}
	text := strings.TrimSpace(string(line[:min(len(line), 64)]))
	switch {
	case strings.HasPrefix(text, "\x1f\x8b"), strings.HasPrefix(text, "PK\x03\x04"):
		return errors.New("the file is compressed: unpack it first")
	case strings.HasPrefix(text, measure.JournalMagic):
		return errors.New("the file is the journal of a run: cstest report takes the directory it is in")
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return errors.New("the file is JSON: want an HdrHistogram log, or the directory of a result")
	case strings.HasPrefix(text, "Value "), strings.HasPrefix(text, "Latency Distribution"), strings.HasPrefix(text, "Running "):
		return errors.New("the file is a table of percentiles, from which no others can be had: have the tool write an HdrHistogram log (.hlog)")
	}
	return errors.New("unknown format: want an HdrHistogram log, version 1.1 to 1.3, or the directory of a result")
}

// comment takes what a comment says of the log.
func (l *reader) comment(text string) error {
	if version, ok := strings.CutPrefix(text, "#[Histogram log format version "); ok {
		version = strings.TrimSuffix(version, "]")
		switch version {
		case "1.1", "1.2", "1.3":
			return nil
		}
		return fmt.Errorf("log format version %.12q: want 1.1, 1.2 or 1.3: have the tool write one of them", version)
	}
	for _, c := range []struct {
		name string
		to   *float64
	}{{"#[StartTime: ", &l.start}, {"#[BaseTime: ", &l.base}} {
		rest, ok := strings.CutPrefix(text, c.name)
		if !ok {
			continue
		}
		number, _, _ := strings.Cut(rest, " ")
		v, ok := secondsOf(strings.TrimSuffix(number, "]"))
		if !ok {
			return fmt.Errorf("%s: want seconds since the epoch", strings.TrimSuffix(strings.TrimPrefix(c.name, "#["), ": "))
		}
		*c.to = v
	}
	if math.IsNaN(l.first) {
		l.first = l.start
	}
	return nil
}

// latest is the last second a log may be of: the year 5138.
const latest = 1e11

// secondsOf reads a decimal number of seconds.
func secondsOf(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if len(s) == 0 || len(s) > 40 || strings.Trim(s, "0123456789.eE+-") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && v >= 0 && v <= latest
}

// interval adds one histogram, which begins at the second at of the log.
func (l *reader) interval(tag string, at, length float64, payload string) error {
	i, known := l.at[tag]
	if !known {
		if len(l.series) >= maxTags {
			return fmt.Errorf("more than %d tags: want a log of fewer", maxTags)
		}
		i = len(l.series)
		l.at[tag] = i
		l.series = append(l.series, tally{tag: tag, counts: map[span]int64{}})
	}
	from, err := l.offset(at)
	if err != nil {
		return err
	}
	to := from + milliseconds(min(length, latest/100))
	s := &l.series[i]
	if s.intervals == 0 || from < s.from {
		s.from = from
	}
	s.to = max(s.to, to)
	s.intervals++
	return l.add(s, payload)
}

// offset gives an interval's time from the log's start. A time stamp counts from
// BaseTime; without one it counts from the epoch, or, where that would be more
// than a year before StartTime, from StartTime, as in all HdrHistogram readers.
func (l *reader) offset(at float64) (time.Duration, error) {
	const year = 365 * 24 * 3600
	switch {
	case !math.IsNaN(l.base):
		at += l.base
	case !math.IsNaN(l.start) && at < l.start-year:
		at += l.start
	}
	if !l.counted {
		l.counted, l.origin = true, at
		if !math.IsNaN(l.first) {
			l.origin = l.first
		}
	}
	d := at - l.origin
	if math.Abs(d) > latest/100 {
		return 0, errors.New("the interval begins more than 30 years from the log's start: want one log")
	}
	return milliseconds(d), nil
}

func milliseconds(seconds float64) time.Duration {
	return time.Duration(math.Round(seconds*1e3)) * time.Millisecond
}
