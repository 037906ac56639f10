package scenario

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
)

const (
	maxTable   = 64 << 20 // bytes of a data file
	maxRows    = 2_000_000
	maxColumns = 200
	maxCell    = 64 << 10
)

// rowError is a fault inside of a data file.
type rowError struct {
	line, column int
	message      reason.Phrase
}

func (e *rowError) Error() string { return fmt.Sprintf("%d:%d: %s", e.line, e.column, e.message) }

// readTables fills Columns and Table of every data section.
func (s *Scenario) readTables() []Problem {
	var problems []Problem
	for _, name := range sortedKeys(s.Data) {
		d := s.Data[name]
		path := "data." + name
		file, field := d.CSV, path+".csv"
		if file == "" {
			file, field = d.JSONL, path+".jsonl"
		}
		forms := 0
		for _, given := range []bool{d.CSV != "", d.JSONL != "", d.Rows != nil} {
			if given {
				forms++
			}
		}
		if forms != 1 {
			problems = append(problems, s.source.problem(path, "must have exactly one of csv, jsonl and rows"))
			continue
		}
		if d.Rows != nil {
			problems = append(problems, s.inlineRows(path, &d)...)
			s.Data[name] = d
			continue
		}
		if s.source.options.Recorded {
			continue
		}
		text, err := readInside(s.source.options.Dir, file, s.source.options.AnyPath, maxTable)
		if err != nil {
			problems = append(problems, s.source.problem(field, "%s: %s", short(file), err))
			continue
		}
		read := readCSV
		if d.CSV == "" {
			read = readJSONL
		}
		if d.Columns, d.Table, err = read(text); err != nil {
			problems = append(problems, tableProblem(s, field, file, err))
			continue
		}
		s.Data[name] = d
	}
	return problems
}

// tableProblem points into the data file where the fault has a place there.
func tableProblem(s *Scenario, field, file string, err error) Problem {
	if at, ok := errors.AsType[*rowError](err); ok {
		if !filepath.IsAbs(file) {
			file = filepath.Join(s.source.options.Dir, file)
		}
		return Problem{File: file, Line: at.line, Column: at.column, Field: field, Message: at.message}
	}
	return s.source.problem(field, "%s: %s", short(file), err)
}

func (s *Scenario) inlineRows(path string, d *Data) (problems []Problem) {
	if len(d.Rows) == 0 {
		return []Problem{s.source.problem(path+".rows", "has no rows: give at least one")}
	}
	d.Columns = sortedKeys(d.Rows[0])
	if err := checkColumns(d.Columns); err != nil {
		return []Problem{s.source.problem(item(path+".rows", 0, ""), "%s", err)}
	}
	for i, row := range d.Rows {
		cells := make([]string, len(d.Columns))
		for k, column := range d.Columns {
			value, ok := row[column]
			if !ok {
				problems = append(problems, s.source.problem(item(path+".rows", i, ""), "has no %s, which the first row has", column))
			}
			cells[k] = value
		}
		for _, column := range sortedKeys(row) {
			if !slices.Contains(d.Columns, column) {
				problems = append(problems, s.source.problem(item(path+".rows", i, column), "is not in the first row: every row has the same columns"))
			}
		}
		d.Table = append(d.Table, cells)
	}
	return problems
}

// checkColumns refuses names that ${table.column} could not hold.
func checkColumns(columns []string) error {
	if len(columns) == 0 || len(columns) > maxColumns {
		return reason.Errorf("has %d columns: 1 to %d are possible", len(columns), maxColumns)
	}
	for i, c := range columns {
		if c == "" || len(c) > 64 || strings.ContainsAny(c, " \t\r\n${}:\"") {
			return reason.Errorf("the column name %q is not usable: 1 to 64 bytes without spaces and ${}:\"", short(c))
		}
		if slices.Contains(columns[:i], c) {
			return reason.Errorf("the column name %q stands twice", short(c))
		}
	}
	return nil
}

// readCSV reads a table with a header row. A byte order mark is skipped.
func readCSV(text []byte) (columns []string, table [][]string, err error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if line, column, message, bad := notUTF8(text); bad {
		return nil, nil, &rowError{line, column, message}
	}
	r := csv.NewReader(bytes.NewReader(text))
	columns, err = r.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, &rowError{1, 1, reason.Say("is empty: the first line names the columns")}
	}
	if err != nil {
		return nil, nil, csvError(err)
	}
	if name := otherSeparator(columns); name != (reason.Phrase{}) {
		return nil, nil, &rowError{1, 1, reason.Say("the columns are separated by %s: separate them by commas (Excel: \"CSV UTF-8 (comma delimited)\")", name)}
	}
	if err := checkColumns(columns); err != nil {
		return nil, nil, &rowError{1, 1, reason.Say("%s", err)}
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, csvError(err)
		}
		line, column := r.FieldPos(0)
		if err := checkRow(len(table), row); err != nil {
			return nil, nil, &rowError{line, column, reason.Say("%s", err)}
		}
		if len(row) > 1 && strings.Join(row, "") == "" {
			return nil, nil, &rowError{line, column, reason.Say("is a row whose fields are all empty (a line of commas only is a row too): remove the line")}
		}
		table = append(table, row)
	}
	if len(table) == 0 {
		return nil, nil, &rowError{1, 1, reason.Say("has a header and no rows")}
	}
	return columns, table, nil
}

// otherSeparator names what separates the columns of a header that no comma does.
func otherSeparator(header []string) reason.Phrase {
	if len(header) != 1 {
		return reason.Phrase{}
	}
	for _, s := range []struct {
		separator string
		name      reason.Phrase
	}{{";", reason.Say("semicolons")}, {"\t", reason.Say("tabs")}, {"，", reason.Say("full-width commas (，)")}, {"|", reason.Say("|")}} {
		if strings.Contains(strings.TrimSpace(header[0]), s.separator) {
			return s.name
		}
	}
	return reason.Phrase{}
}

func csvError(err error) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	if errors.Is(parse.Err, csv.ErrFieldCount) {
		return &rowError{parse.Line, parse.Column, reason.Say("has more or fewer fields than the header")}
	}
	return &rowError{parse.Line, parse.Column, reason.Say("%s", parse.Err)}
}

func checkRow(before int, row []string) error {
	if before >= maxRows {
		return reason.Errorf("is one row too many: %d are possible", maxRows)
	}
	for _, cell := range row {
		if len(cell) > maxCell {
			return reason.Errorf("has a field of more than %d bytes", maxCell)
		}
	}
	return nil
}

// readJSONL reads a table of one flat object a line.
func readJSONL(text []byte) (columns []string, table [][]string, err error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if line, column, message, bad := notUTF8(text); bad {
		return nil, nil, &rowError{line, column, message}
	}
	for number := 1; len(text) > 0; number++ {
		line, rest, _ := bytes.Cut(text, []byte{'\n'})
		text = rest
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		names, row, err := jsonRow(line)
		if err == nil && columns == nil {
			columns, err = names, checkColumns(names)
		}
		if err == nil {
			row, err = inOrder(columns, names, row)
		}
		if err == nil {
			err = checkRow(len(table), row)
		}
		if err != nil {
			return nil, nil, &rowError{number, 1, reason.Say("%s", err)}
		}
		table = append(table, row)
	}
	if len(table) == 0 {
		return nil, nil, &rowError{1, 1, reason.Say("is empty: give one JSON object a line")}
	}
	return columns, table, nil
}

func jsonRow(line []byte) (names, row []string, err error) {
	v, err := readJSON(line)
	if err != nil {
		return nil, nil, err
	}
	if v.token != json.Delim('{') {
		return nil, nil, reason.Errorf("is not an object: give one JSON object a line")
	}
	for i, item := range v.items {
		switch token := item.token.(type) {
		case string:
			row = append(row, token)
		case json.Number:
			row = append(row, token.String())
		case bool:
			row = append(row, strconv.FormatBool(token))
		default:
			return nil, nil, reason.Errorf("%q is not a text, a number or a truth value", short(v.keys[i]))
		}
	}
	return v.keys, row, nil
}

// inOrder brings a row into the order of the first one's columns.
func inOrder(columns, names, row []string) ([]string, error) {
	if slices.Equal(columns, names) {
		return row, nil
	}
	if len(names) != len(columns) {
		return nil, reason.Errorf("has %d members, the first line has %d", len(names), len(columns))
	}
	out := make([]string, len(columns))
	for i, c := range columns {
		k := slices.Index(names, c)
		if k < 0 {
			return nil, reason.Errorf("has no %q, which the first line has", c)
		}
		out[i] = row[k]
	}
	return out, nil
}
