package measure

import (
	"encoding/binary"
	"errors"
)

// Selection is which turns are told one by one, to who wants more than sums.
type Selection uint8

// The selections. Sampled are all turns that were not answered, and one in a hundred
// of the others: the same ones wherever it is asked.
const (
	NoTurns Selection = iota
	SampledTurns
	EveryTurn
)

// Has tells whether a turn is one of them. It allocates nothing.
func (s Selection) Has(t *Turn) bool {
	switch s {
	case EveryTurn:
		return true
	case SampledTurns:
		return !Answered.Has(t.Outcome) || (uint(t.TraceID[14])<<8|uint(t.TraceID[15]))%100 == 0
	case NoTurns:
	}
	return false
}

// The binary form of a turn, for a process that hears of it elsewhere: what it is told
// apart by, codes and flags a byte each, and numbers as signed varints. Gaps, Server
// and Dialog are left out.

// numbers are those fields that are 64 bits wide.
func (t *Turn) numbers() [12]*int64 {
	return [...]*int64{
		(*int64)(&t.Intended), (*int64)(&t.Sent), (*int64)(&t.FirstByte), (*int64)(&t.FirstToken), (*int64)(&t.FirstReasoning),
		(*int64)(&t.Done), (*int64)(&t.Login), (*int64)(&t.Connect), (*int64)(&t.Lag), &t.Number, (*int64)(&t.Spell), &t.Spelled,
	}
}

func (t *Turn) flags() [4]*bool { return [...]*bool{&t.Excluded, &t.Again, &t.Planted, &t.Untold} }

// AppendTurn appends a turn in the form that DecodeTurns reads.
func AppendTurn(b []byte, t *Turn) []byte {
	b = append(append(b, t.TraceID[:]...), t.SpanID[:]...)
	set := byte(0)
	for i, on := range t.flags() {
		if *on {
			set |= 1 << i
		}
	}
	b = append(b, byte(t.Outcome), byte(t.Tier), byte(t.Memory), set)
	for _, v := range []int{t.Slot, t.Group, t.Status} {
		b = binary.AppendVarint(b, int64(v))
	}
	for _, v := range t.numbers() {
		b = binary.AppendVarint(b, *v)
	}
	for _, v := range t.Usage.fields() {
		b = binary.AppendVarint(b, *v)
	}
	return b
}

// errTurns is the error of bytes that no turns encode to.
var errTurns = errors.New("no turns")

// DecodeTurns reads turns that were appended one after the other. Damaged bytes are an
// error, never a panic.
func DecodeTurns(b []byte) (list []Turn, err error) {
	d := &decoder{b: b}
	for len(d.b) > 0 {
		var t Turn
		d.bytes(t.TraceID[:])
		d.bytes(t.SpanID[:])
		t.Outcome, t.Tier, t.Memory = Outcome(d.byte(byte(Outcomes-1))), Tier(d.byte(byte(Tiers-1))), Memory(d.byte(byte(Verified)))
		flags := t.flags()
		set := d.byte(1<<len(flags) - 1)
		for i, on := range flags {
			*on = set&(1<<i) != 0
		}
		for _, to := range []*int{&t.Slot, &t.Group, &t.Status} {
			*to = int(d.signed())
		}
		for _, to := range t.numbers() {
			*to = d.signed()
		}
		for _, to := range t.Usage.fields() { // as the turn had it: nothing is added up
			*to = d.signed()
		}
		if d.bad {
			return nil, errTurns
		}
		list = append(list, t)
	}
	return list, nil
}

// bytes reads as many as to has room for.
func (d *decoder) bytes(to []byte) {
	if len(d.b) < len(to) {
		d.fail()
		return
	}
	d.b = d.b[copy(to, d.b):]
}

// signed reads a value of either sign.
func (d *decoder) signed() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}
