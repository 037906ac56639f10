package scenario

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

const (
	maxCurve  = 100_000 // rows
	maxFactor = 1e6     // of load.scale
)

// point is a row of a rate curve: so many starts a second, so long after the first.
type point struct {
	at   time.Duration
	rate float64
}

// readCurve makes stages of the file that load.curve names: a linear ramp from row to
// row, or where there are more rows than stages, ramps that come near to several, which
// a warning says. What is written and recorded of the scenario are these stages.
func (s *Scenario) readCurve() []Problem {
	l := &s.Load
	if l.Curve == "" {
		if l.Scale != 0 || s.source.wrote("load.scale") {
			return []Problem{s.source.problem("load.scale", "is for load.curve; --scale scales any load")}
		}
		return nil
	}
	bad := func(field, format string, args ...any) []Problem {
		return []Problem{s.source.problem(field, format, args...)}
	}
	switch {
	case len(l.Stages) > 0 || l.Users > 0:
		return bad("load.curve", "stands beside stages or users: the curve is the load, keep one")
	case s.source.wrote("load.scale") && !(l.Scale > 0 && l.Scale <= maxFactor):
		return bad("load.scale", "must be above 0 and at most %.0f: 30 is thirty times the curve", float64(maxFactor))
	case l.For < 0:
		return bad("load.for", "must be above 0s")
	}
	text, err := readInside(s.source.options.Dir, l.Curve, s.source.options.AnyPath, maxTable)
	if err != nil {
		return bad("load.curve", "%s: %s", short(l.Curve), err)
	}
	points, err := parseCurve(text)
	if err != nil {
		return []Problem{tableProblem(s, "load.curve", l.Curve, err)}
	}
	or(&l.Scale, 1)
	pieces := piecesOf(points, l.For.D())
	l.Stages = stagesOf(points, pieces, l.Scale, l.For.D())
	if n := len(points); n > len(pieces)+1 {
		off, row := farthest(points, pieces)
		s.source.read = append(s.source.read, s.source.problem("load.curve",
			"of its %d rows %d stages are made, which start as many conversations; they are off the curve by at most %s of its highest rate, at row %d", n, len(pieces), unit.Share(off).Text(), row+1))
	}
	for _, field := range []string{"load.for", "load.scale"} {
		s.source.forget(field)
	}
	s.source.move("load.curve", "load.stages")
	l.Curve, l.Scale, l.For = "", 0, 0
	return nil
}

// parseCurve reads the points of a curve, in order of time, at least two of them.
func parseCurve(text []byte) ([]point, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if line, column, message, isBad := notUTF8(text); isBad {
		return nil, &rowError{line, column, message}
	}
	r := csv.NewReader(bytes.NewReader(text))
	header, err := r.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &rowError{1, 1, reason.Say("is empty: the first line is time,rate")}
		}
		return nil, csvError(err)
	}
	time0, rate0 := slices.Index(header, "time"), slices.Index(header, "rate")
	if time0 < 0 || rate0 < 0 {
		return nil, &rowError{1, 1, reason.Say("needs the columns time and rate, it has %s", short(strings.Join(header, ", ")))}
	}
	var points []point
	var first time.Duration
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, csvError(err)
		}
		fault := func(column int, what reason.Phrase) error {
			line, at := r.FieldPos(column)
			return &rowError{line, at, reason.Say("row %d, %s: %s", len(points)+1, header[column], what)}
		}
		at, err := curveTime(row[time0])
		if err != nil {
			return nil, fault(time0, reason.Say("%q is not a time: write 90, 90s, 1h30m or 08:30", short(row[time0])))
		}
		rate, err := curveRate(row[rate0])
		if err != nil {
			return nil, fault(rate0, reason.Say("%q is not a rate: write 2.5 (a second), 5/s, 300/m or 900/h, at most %dk/s", short(row[rate0]), maxRate/1000))
		}
		if len(points) == 0 {
			first = at
		}
		if n := len(points); n > 0 && at-first <= points[n-1].at {
			return nil, fault(time0, reason.Say("%q is not after the row before: rows go forward in time", short(row[time0])))
		}
		if len(points) == maxCurve {
			return nil, fault(time0, reason.Say("is one row too many: %d are possible", maxCurve))
		}
		points = append(points, point{at - first, rate})
	}
	if len(points) < 2 {
		return nil, &rowError{1, 1, reason.Say("has %d rows: a curve needs two at least", len(points))}
	}
	return points, nil
}

// curveTime reads seconds, a duration or a time of day.
func curveTime(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds >= 0 && seconds < 1e9) {
			return 0, errOutOfCurve
		}
		return time.Duration(seconds * 1e9), nil
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second, nil
		}
	}
	return unit.ParseDuration(text)
}

// curveRate reads starts a second, or a rate with its unit.
func curveRate(text string) (float64, error) {
	text = strings.TrimSpace(text)
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil {
		var r unit.Rate
		if r, err = unit.ParseRate(text); err != nil {
			return 0, err
		}
		rate = float64(r)
	}
	if !(rate >= 0 && rate <= maxRate) {
		return 0, errOutOfCurve
	}
	return rate, nil
}

var errOutOfCurve = errors.New("out of range")
