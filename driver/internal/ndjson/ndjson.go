// Package ndjson reads streams of a JSON document a line.
package ndjson

import (
	"bytes"
	"errors"
)

// ErrTooLong says that a line is longer than the caller allows.
var ErrTooLong = errors.New("a line of the stream is longer than the limit")

// Parser takes a stream apart into lines that end with LF or CRLF; empty ones are
// skipped. How the bytes are cut into pieces makes no difference.
type Parser struct {
	Line []byte // the last whole one, until the next call

	part []byte // of a line that is not whole yet
	used bool   // part is Line, and to be dropped
}

// Reset begins another stream.
func (p *Parser) Reset() { *p = Parser{part: p.part[:0]} }

// Next takes bytes off in until a line is whole, and gives how many. limit bounds a
// line.
func (p *Parser) Next(in []byte, limit int) (used int, whole bool, err error) {
	p.drop()
	for used < len(in) {
		rest := in[used:]
		n := bytes.IndexByte(rest, '\n')
		if n < 0 {
			p.part = append(p.part, rest...)
			if len(p.part) > limit {
				return used, false, ErrTooLong
			}
			return len(in), false, nil
		}
		used += n + 1
		line := rest[:n]
		if len(p.part)+n > limit {
			return used, false, ErrTooLong
		}
		if len(p.part) > 0 {
			p.part, p.used = append(p.part, line...), true
			line = p.part
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			p.Line = line
			return used, true, nil
		}
		p.drop()
	}
	return used, false, nil
}

// Rest gives the line that the stream ended in, where it did not end it.
func (p *Parser) Rest() (line []byte, ok bool) {
	p.drop()
	line = bytes.TrimSpace(p.part)
	p.Line, p.used = line, true
	return line, len(line) > 0
}

func (p *Parser) drop() {
	if p.used {
		p.part, p.used = p.part[:0], false
	}
}
