package dialog

import (
	"encoding/hex"
	"hash/fnv"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/wire"
)

// MaxRecord is how many bytes a stored turn may have; anything longer is not ours.
const MaxRecord = 64 << 10

// Record is one committed turn: the user's message, the answer and the whole
// response, in one list element, so that a turn is stored or not, never half.
type Record struct {
	Epoch    int64  // which life of the dialog
	Seq      int    // from 1 within the epoch
	base     int    // least seq the writer left in the list: a longer gap at the front is loss
	Born     int64  // start of the epoch, Unix ms
	Token    string // drawn for each commit: tells the writer's own element from another's
	TurnID   string
	TextHash string
	Degraded bool
	User     string // masked, with marks
	Response []byte // as it was sent
	Notes    []Note // what people answered after this turn and before the next
	at       int    // place in the list when read
}

func (r *Record) appendJSON(b []byte) []byte {
	return wire.JSON(b).Object("").Int("e", r.Epoch).Int("s", int64(r.Seq)).Int("b", int64(r.base)).Int("o", r.Born).String("k", r.Token).
		String("t", r.TurnID).String("h", r.TextHash).Bool("d", r.Degraded).String("u", r.User).Raw("r", r.Response).EndObject()
}

// parseRecord reads a list element; ok is false for anything that appendJSON
// did not write.
func parseRecord(s string) (r Record, ok bool) {
	if len(s) > MaxRecord {
		return r, false
	}
	if r, ok = scanRecord(s); !ok {
		r, ok = findRecord(s)
	}
	return r, ok && r.Epoch > 0 && r.Seq > 0 && r.base > 0 && r.base <= r.Seq && len(r.Response) > 1 && r.Response[0] == '{'
}

// findRecord reads an element by the names of its members.
func findRecord(s string) (r Record, ok bool) {
	if !gjson.Valid(s) {
		return r, false
	}
	doc := gjson.Parse(s)
	if !doc.IsObject() {
		return r, false
	}
	doc.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "e":
			r.Epoch = v.Int()
		case "s":
			r.Seq = int(v.Int())
		case "b":
			r.base = int(v.Int())
		case "o":
			r.Born = v.Int()
		case "k":
			r.Token = v.Str
		case "t":
			r.TurnID = v.Str
		case "h":
			r.TextHash = v.Str
		case "d":
			r.Degraded = v.Bool()
		case "u":
			r.User = v.Str
		case "r":
			r.Response = []byte(v.Raw)
		}
		return true
	})
	return r, true
}

// Question is what the user said.
func (r *Record) Question() string { return withoutMarks(r.User) }

// Reply is the answer as later prompts carry it: without the marks that an echoing
// model appended.
func (r *Record) Reply() string {
	return withoutMarks(gjson.GetBytes(r.Response, "answer").Str)
}

// Size is what the turn adds to a prompt, in bytes.
func (r *Record) Size() int {
	n := len(r.User) + len(r.Response)
	for i := range r.Notes {
		n += len(r.Notes[i].Text)
	}
	return n
}

// TextHash tells whether a turn_id comes again with another text: 32 hex digits.
func TextHash(text string) string {
	h := fnv.New128a()
	h.Write([]byte(text))
	var sum [16]byte
	var digits [2 * len(sum)]byte
	hex.Encode(digits[:], h.Sum(sum[:0]))
	return string(digits[:])
}

// fold is what a dialog's list amounts to.
type fold struct {
	list    []string // the elements
	turns   []Record // committed, oldest first, seq without gaps
	lost    bool     // the list is not whole: its content must not be used
	skipped int      // elements that were not records: which turns they were cannot be known
	epoch   int64    // the latest that is known of the dialog, whatever the list says
}

// foldRecords applies the one rule that makes appending safe without scripts:
// for each seq the first element counts. A writer that was overtaken, or whose
// reply got lost so that it appended again, leaves elements without effect; but
// what that writer told its caller in the end is the response of the turn.
func foldRecords(list []string) fold {
	f := fold{list: list}
	for i, s := range list {
		r, ok := parseRecord(s)
		r.at = i
		if !ok {
			if n, ok := parseNote(s); ok {
				f.attach(n)
			} else {
				f.skipped++
			}
			continue
		}
		if len(f.turns) == 0 {
			if f.turns == nil {
				f.turns = make([]Record, 0, len(list)-i)
			}
			f.turns = append(f.turns, r)
			continue
		}
		last := &f.turns[len(f.turns)-1]
		switch {
		case r.Epoch == last.Epoch && r.Seq == last.Seq+1:
			f.turns = append(f.turns, r)
		case r.Epoch == last.Epoch && r.Seq <= last.Seq:
			f.amend(&r)
		case r.Epoch < last.Epoch:
		case r.Epoch > last.Epoch && r.Seq == 1:
			f.turns = append(f.turns[:0], r)
		default:
			f.lost = true
		}
	}
	if n := len(f.turns); n > 0 && f.turns[0].Seq > f.turns[n-1].base {
		f.lost = true
	}
	f.lost = f.lost || f.skipped > 0
	return f
}

// amend takes over the response of a turn that its own writer appended again.
func (f *fold) amend(again *Record) {
	for i := len(f.turns) - 1; i >= 0 && f.turns[i].Seq >= again.Seq; i-- {
		if t := &f.turns[i]; t.Seq == again.Seq && t.Token == again.Token {
			t.Response = again.Response
		}
	}
}
