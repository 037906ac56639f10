package ci

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

type junitSuites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     string   `xml:"time,attr"`
	Suite    junitSuite
}

type junitSuite struct {
	XMLName    xml.Name        `xml:"testsuite"`
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	XMLName xml.Name      `xml:"testcase"`
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitProblem `xml:"failure"`
	Error   *junitProblem `xml:"error"`
	Skipped *junitProblem `xml:"skipped"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes a test case per objective and one for the run itself, in
// the dialect that Jenkins' schema accepts. Fail is a failure; inconclusive is a
// failure too, unless the exit code says that it passes; invalid and incomplete
// are errors of the run; not verified is skipped.
func WriteJUnit(d *result.Document, out io.Writer) error {
	name := escape.Clean(d.Scenario.Name)
	s := junitSuite{
		Name: name, Time: strconv.FormatFloat(d.DurationS, 'f', 3, 64),
		Timestamp: d.Started().UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"run_id", escape.Clean(d.RunID)},
			{"seed", strconv.FormatUint(d.Scenario.Seed, 10)},
			{"cstest_version", escape.Clean(d.CstestVersion)},
			{"verdict", escape.Clean(d.Verdict)},
		},
	}
	run := junitCase{Class: name, Name: "run", Time: s.Time}
	reasons := make([]string, len(d.Reasons))
	for i, r := range d.Reasons {
		reasons[i] = escape.Clean(r)
	}
	if d.Verdict == "invalid" || d.Verdict == "incomplete" {
		run.Error = &junitProblem{Message: first(reasons, d.Verdict), Type: d.Verdict, Text: strings.Join(reasons, "\n")}
	}
	s.Cases = append(s.Cases, run)
	w := words.In(reason.English)
	for _, o := range d.Objectives {
		s.Cases = append(s.Cases, objectiveCase(d, o, name, w))
	}
	return writeSuite(out, &s)
}

// writeSuite counts the cases of a suite and writes it.
func writeSuite(out io.Writer, s *junitSuite) error {
	for _, c := range s.Cases {
		s.Tests++
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(out)
	e.Indent("", "  ")
	all := junitSuites{Name: "cstest", Tests: s.Tests, Failures: s.Failures, Errors: s.Errors, Time: s.Time, Suite: *s}
	if err := e.Encode(all); err != nil {
		return fmt.Errorf("junit.xml: %w", err)
	}
	_, err := io.WriteString(out, "\n")
	return err
}

func objectiveCase(d *result.Document, o result.Objective, class string, w *words.Words) junitCase {
	c := junitCase{Class: class, Name: escape.Clean(o.Name), Time: "0"}
	detail := fmt.Sprintf("%s; measured %s, budget %s, n %d, bad %d", escape.Clean(o.Reason), figure.Measured(o, w), figure.Budget(o, w), o.N, o.Bad)
	switch {
	case o.Verdict == "fail", o.Verdict == "inconclusive" && d.ExitCode != 0:
		c.Failure = &junitProblem{Message: escape.Clean(o.Reason), Type: o.Verdict, Text: detail}
	case o.Verdict == "not_verified":
		c.Skipped = &junitProblem{Message: escape.Clean(o.Reason)}
	default:
		c.Out = detail
	}
	return c
}

func first(list []string, otherwise string) string {
	if len(list) > 0 {
		return list[0]
	}
	return otherwise
}
