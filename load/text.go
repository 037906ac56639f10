package load

import (
	"fmt"
	"strconv"
	"strings"
)

// text is a user's message with places for what differs between conversations.
type text []piece

// piece is a literal, a data column, or something of the user.
type piece struct {
	literal string
	kind    pieceKind
	source  int // index of Script.sources
	column  int
}

type pieceKind uint8

const (
	pieceLiteral pieceKind = iota
	pieceColumn
	pieceUserID
	pieceUserIndex
	pieceTurnIndex
)

// parseText reads "…${orders.order_no}…$$…". A dollar that begins neither is
// itself: people write prices.
func (s *Script) parseText(say string, secrets func(string) (string, error)) (text, error) {
	var t text
	rest := say
	for rest != "" {
		i := strings.IndexByte(rest, '$')
		if i < 0 || i == len(rest)-1 {
			return t.add(rest), nil
		}
		t = t.add(rest[:i])
		switch rest[i+1] {
		case '$':
			t, rest = t.add("$"), rest[i+2:]
			continue
		case '{':
		default:
			t, rest = t.add("$"), rest[i+1:]
			continue
		}
		name, after, ok := strings.Cut(rest[i+2:], "}")
		if !ok {
			return nil, fmt.Errorf("%.40q: ${ without }: write $$ for a dollar", rest[i:])
		}
		p, err := s.place(name, secrets)
		if err != nil {
			return nil, err
		}
		if p.kind == pieceLiteral {
			t = t.add(p.literal)
		} else {
			t = append(t, p)
		}
		rest = after
	}
	return t, nil
}

func (s *Script) place(name string, secrets func(string) (string, error)) (piece, error) {
	switch name {
	case "user.id":
		return piece{kind: pieceUserID}, nil
	case "user.index":
		return piece{kind: pieceUserIndex}, nil
	case "turn.index":
		return piece{kind: pieceTurnIndex}, nil
	}
	if strings.HasPrefix(name, "env:") || strings.HasPrefix(name, "file:") {
		if secrets == nil {
			return piece{}, fmt.Errorf("${%s}: no secrets are to be had here", name)
		}
		value, err := secrets(name)
		if err != nil {
			return piece{}, fmt.Errorf("${%s}: %w", name, err)
		}
		return piece{literal: value}, nil
	}
	table, column, _ := strings.Cut(name, ".")
	for i := range s.sources {
		if s.sources[i].name != table {
			continue
		}
		for j, c := range s.sources[i].columns {
			if c == column {
				return piece{kind: pieceColumn, source: i, column: j}, nil
			}
		}
		return piece{}, fmt.Errorf("${%s}: data %s has no column %q", name, table, column)
	}
	return piece{}, fmt.Errorf("${%s}: there is no such name: write ${user.id}, ${user.index}, ${turn.index} or ${DATA.COLUMN}", name)
}

func (t text) add(literal string) text {
	if literal == "" {
		return t
	}
	if n := len(t); n > 0 && t[n-1].kind == pieceLiteral {
		t[n-1].literal += literal
		return t
	}
	return append(t, piece{literal: literal})
}

// appendText renders t for conversation c after b.
func (c *conversation) appendText(b []byte, t text, s *Script) []byte {
	for i := range t {
		p := &t[i]
		switch p.kind {
		case pieceLiteral:
			b = append(b, p.literal...)
		case pieceColumn:
			b = append(b, s.sources[p.source].table[c.rows[p.source]][p.column]...)
		case pieceUserID:
			b = append(b, c.user.ID...)
		case pieceUserIndex:
			b = strconv.AppendInt(b, c.user.Index, 10)
		case pieceTurnIndex:
			b = strconv.AppendInt(b, int64(c.turn), 10)
		}
	}
	return b
}
