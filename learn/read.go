package learn

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reason"
)

const (
	maxLine = 1 << 20 // bytes of a row
	maxText = 2000    // characters of a message; what is longer is dirty
)

// Log is what was read: the dialogs, in the order in which they began, and the
// rows that could not be used.
type Log struct {
	Rows    int
	Dirty   []Dirty
	Dialogs []*Dialog
	Answers bool // the log has what was answered, so that thinking begins there
}

// Dirty is a kind of rows that could not be used.
type Dirty struct {
	Why   reason.Phrase
	Rows  int
	First int // number of the first such row
}

// Dialog is what one conversation said.
type Dialog struct {
	messages []message
}

type message struct {
	at   time.Time
	user bool
	text string // of users alone
}

func (d *Dialog) begin() time.Time { return d.messages[0].at }

// Says are the customer's messages.
func (d *Dialog) Says() []string {
	var out []string
	for _, m := range d.messages {
		if m.user {
			out = append(out, m.text)
		}
	}
	return out
}

func (d *Dialog) turns() int {
	n := 0
	for _, m := range d.messages {
		if m.user {
			n++
		}
	}
	return n
}

// Read takes a log of one message a row: CSV with a header, or a JSON object a
// line.
func Read(r io.Reader, columns Columns) (*Log, error) {
	in := reading{columns: columns, log: &Log{}, byID: map[string]*Dialog{}, dirty: map[reason.Phrase]int{}}
	b := bufio.NewReaderSize(r, maxLine)
	if bom, err := b.Peek(3); err == nil && string(bom) == "\xef\xbb\xbf" {
		_, _ = b.Discard(3) // they were just seen
	}
	first, err := b.Peek(1)
	if err != nil {
		return nil, reason.Errorf("the log is empty")
	}
	if first[0] == '{' {
		err = in.lines(b)
	} else {
		err = in.table(b)
	}
	if err != nil {
		return nil, err
	}
	in.finish()
	if len(in.log.Dialogs) == 0 {
		return nil, reason.Errorf("none of %d rows is a message of a customer that can be used%s", in.log.Rows, in.worst())
	}
	return in.log, nil
}

type reading struct {
	columns Columns
	log     *Log
	byID    map[string]*Dialog
	dirty   map[reason.Phrase]int
}

func (in *reading) lines(b *bufio.Reader) error {
	known := false
	for {
		line, err := b.ReadSlice('\n')
		if len(line) > 0 {
			in.log.Rows++
			switch {
			case errors.Is(err, bufio.ErrBufferFull):
				in.bad(reason.Say("longer than 1 MiB"))
				for errors.Is(err, bufio.ErrBufferFull) {
					_, err = b.ReadSlice('\n')
				}
			case len(bytes.TrimSpace(line)) == 0:
				in.log.Rows--
			case !utf8.Valid(line):
				in.bad(reason.Say("not UTF-8"))
			case !gjson.ValidBytes(line) || bytes.TrimSpace(line)[0] != '{':
				in.bad(reason.Say("not a JSON object"))
			default:
				row := string(line)
				if !known {
					if err := in.columns.complete(func(name string) bool { return gjson.Get(row, name).Exists() }); err != nil {
						return reason.Errorf("row %d: %w", in.log.Rows, err)
					}
					known = true
				}
				in.row(func(name string) string { return gjson.Get(row, name).String() })
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return reason.Errorf("row %d: %w", in.log.Rows, err)
		}
	}
}

func (in *reading) table(b *bufio.Reader) error {
	r := csv.NewReader(b)
	r.ReuseRecord, r.LazyQuotes, r.FieldsPerRecord = true, true, -1
	header, err := r.Read()
	if err != nil {
		return reason.Errorf("the header: %w", err)
	}
	header = slices.Clone(header)
	if err := in.columns.complete(func(name string) bool { return slices.Contains(header, name) }); err != nil {
		return err
	}
	at := map[string]int{}
	for i, name := range header {
		at[name] = i
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		in.log.Rows++
		var wrong *csv.ParseError
		switch {
		case errors.As(err, &wrong):
			in.bad(reason.Say("not CSV"))
		case err != nil:
			return reason.Errorf("row %d: %w", in.log.Rows, err)
		case len(record) != len(header):
			in.bad(reason.Say("another number of fields than the header"))
		default:
			in.row(func(name string) string { return strings.Clone(record[at[name]]) })
		}
	}
}

func (in *reading) row(get func(string) string) {
	c := &in.columns
	id := get(c.Conversation)
	at, ok := parseTime(get(c.Time))
	role := ""
	if c.Role != "" {
		role = get(c.Role)
	}
	user := c.user(role)
	text := ""
	if user {
		text = strings.TrimSpace(get(c.Text))
	}
	switch {
	case id == "":
		in.bad(reason.Say("without a conversation"))
	case !ok:
		in.bad(reason.Say("without a time that can be read"))
	case c.Role != "" && role == "":
		in.bad(reason.Say("without a role"))
	case user && text == "":
		in.bad(reason.Say("without a text"))
	case !utf8.ValidString(text) || strings.ContainsAny(text, "⟦⟧\x00"):
		in.bad(reason.Say("with characters that a scenario does not hold"))
	case utf8.RuneCountInString(text) > maxText:
		in.bad(reason.Say("longer than 2000 characters"))
	default:
		d := in.byID[id]
		if d == nil {
			d = &Dialog{}
			in.byID[id] = d
		}
		in.log.Answers = in.log.Answers || !user
		d.messages = append(d.messages, message{at: at, user: user, text: text})
	}
}

func (in *reading) bad(why reason.Phrase) {
	i, ok := in.dirty[why]
	if !ok {
		i = len(in.log.Dirty)
		in.dirty[why] = i
		in.log.Dirty = append(in.log.Dirty, Dirty{Why: why, First: in.log.Rows})
	}
	in.log.Dirty[i].Rows++
}

func (in *reading) worst() reason.Phrase {
	if len(in.log.Dirty) == 0 {
		return reason.Say(": the role of customers can be told with --map user=WORD")
	}
	return reason.Say(": %d are %s", in.log.Dirty[0].Rows, in.log.Dirty[0].Why)
}

// finish puts every dialog in order, from its first customer's message on.
func (in *reading) finish() {
	for id, d := range in.byID {
		slices.SortStableFunc(d.messages, func(a, b message) int { return a.at.Compare(b.at) })
		first := slices.IndexFunc(d.messages, func(m message) bool { return m.user })
		if first < 0 {
			continue // nobody asked anything
		}
		d.messages = d.messages[first:]
		in.log.Dialogs = append(in.log.Dialogs, d)
		delete(in.byID, id)
	}
	slices.SortFunc(in.log.Dialogs, func(a, b *Dialog) int {
		if c := a.begin().Compare(b.begin()); c != 0 {
			return c
		}
		return strings.Compare(a.messages[0].text, b.messages[0].text)
	})
}
