package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/learn"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

// learnOptions are the flags of `cstest learn`.
type learnOptions struct {
	columns string
	name    string
	scale   float64
	length  unit.Duration
	quiet   bool
}

func newLearnCmd(s streams) *cobra.Command {
	o := learnOptions{length: unit.Duration(10 * time.Minute)}
	cmd := &cobra.Command{
		Use:   "learn LOG",
		Short: "Make a scenario of a production chat log",
		Long: `Read a chat log, a message a row as CSV with a header or as a JSON object a line, and
print a scenario that behaves as its customers did: the day's arrivals as stages, how many
messages a conversation has, think times (log-normal, the fit is shown), and what people
ask about, as conversations of the log. Personal data is replaced by look-alikes, the same
one wherever it stands, and the result is searched again. Rows that cannot be used are
counted and named. How near the scenario is to the log is told as a score, on standard
error with the rest of what was found. Nothing leaves this machine.

Messages are put into groups by the pairs of characters that first messages share, the most
frequent first; the same log gives the same scenario. What stands for a group is a dialog
of it: read the scenario before you pass it on, for no program knows every secret.

Columns are found by their usual names (session_id, timestamp, role, text and others); --map
says what they are called otherwise, and what the role of a customer is.`,
		Example: `  cstest learn chats.jsonl > learned.yaml
  cstest learn chats.csv --map conversation=sid,time=sent_at,role=who,text=msg,user=buyer > learned.yaml
  cstest learn chats.jsonl --scale 30 --length 8m > sale.yaml`,
		Args: arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error { return runLearn(s, &o, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&o.columns, "map", "", "COLUMN=NAME of conversation, time, role and text, and user=WORD, with commas between")
	f.StringVar(&o.name, "name", "learned", "name of the scenario")
	f.Float64Var(&o.scale, "scale", 1, "factor on the log's arrivals")
	f.Var(textFlag(&o.length), "length", "in which the log's day is played")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but the scenario")
	return cmd
}

func runLearn(s streams, o *learnOptions, path string) error {
	if !(o.scale > 0 && o.scale <= 1e6) || o.length < unit.Duration(time.Second) || o.length > unit.Duration(24*time.Hour) {
		return usagef("--scale is above 0 and at most 1000000, --length from 1s to 24h")
	}
	log, err := readChatLog(s.in, path, o.columns)
	if err != nil {
		return err
	}
	m := learn.Learn(log)
	if !o.quiet {
		if err := m.Report(s.err, s.language()); err != nil {
			return err
		}
	}
	if _, err := s.out.Write(m.Scenario(learn.Options{Name: o.name, Scale: o.scale, Length: o.length.D()})); err != nil {
		return resultsError{reason.Errorf("standard output: %w", err)}
	}
	return nil
}

// readChatLog reads a log from a regular file, or from standard input for -.
func readChatLog(stdin io.Reader, path, columns string) (*learn.Log, error) {
	c, err := learn.ParseColumns(columns)
	if err != nil {
		return nil, usagef("--map: %w", err)
	}
	in := stdin
	if path != "-" {
		st, err := os.Stat(path)
		if err != nil {
			return nil, usageError{err}
		}
		if !st.Mode().IsRegular() {
			return nil, usagef("%s: is no regular file", path)
		}
		f, err := os.Open(filepath.Clean(path))
		if err != nil {
			return nil, usageError{err}
		}
		defer f.Close() // it was only read
		in = f
	}
	log, err := learn.Read(in, c)
	if err != nil {
		return nil, usagef("%s: %w", path, err)
	}
	return log, nil
}

// isTable tells whether a log is one of rows rather than of dialogs.
func isTable(path, columns string) bool {
	return columns != "" || strings.EqualFold(filepath.Ext(path), ".csv")
}
