package refserver

import (
	"encoding/hex"
	"hash/fnv"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/wire"
)

const maxRecord = 64 << 10 // bytes of one stored turn; anything longer is not ours

// record is one committed turn: the user's message, the answer and the whole
// response, in one list element, so that a turn is stored or not, never half.
type record struct {
	epoch    int64  // which life of the dialog
	seq      int    // from 1 within the epoch
	base     int    // least seq the writer left in the list: a longer gap at the front is loss
	born     int64  // start of the epoch, Unix ms
	token    string // drawn for each commit: tells the writer's own element from another's
	turnID   string
	textHash string
	degraded bool
	user     string // masked, canary kept
	response []byte // as it was sent
	notes    []note // what people answered after this turn and before the next
	at       int    // place in the list when read
}

func (r *record) appendJSON(b []byte) []byte {
	return wire.JSON(b).Object("").Int("e", r.epoch).Int("s", int64(r.seq)).Int("b", int64(r.base)).Int("o", r.born).String("k", r.token).
		String("t", r.turnID).String("h", r.textHash).Bool("d", r.degraded).String("u", r.user).Raw("r", r.response).EndObject()
}

// parseRecord reads a list element; ok is false for anything that appendJSON
// did not write.
func parseRecord(s string) (r record, ok bool) {
	if len(s) > maxRecord || !gjson.Valid(s) {
		return r, false
	}
	doc := gjson.Parse(s)
	if !doc.IsObject() {
		return r, false
	}
	doc.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "e":
			r.epoch = v.Int()
		case "s":
			r.seq = int(v.Int())
		case "b":
			r.base = int(v.Int())
		case "o":
			r.born = v.Int()
		case "k":
			r.token = v.Str
		case "t":
			r.turnID = v.Str
		case "h":
			r.textHash = v.Str
		case "d":
			r.degraded = v.Bool()
		case "u":
			r.user = v.Str
		case "r":
			r.response = []byte(v.Raw)
		}
		return true
	})
	return r, r.epoch > 0 && r.seq > 0 && r.base > 0 && r.base <= r.seq && len(r.response) > 1 && r.response[0] == '{'
}

// reply is the answer as later prompts carry it: without what the echoing
// model appended in ⟦…⟧.
func (r *record) reply() string {
	return stripMarks(gjson.GetBytes(r.response, "answer").Str)
}

// size is what the turn adds to a prompt, in bytes.
func (r *record) size() int {
	n := len(r.user) + len(r.response)
	for i := range r.notes {
		n += len(r.notes[i].text)
	}
	return n
}

func textHash(text string) string {
	h := fnv.New128a()
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// fold is what a dialog's list amounts to.
type fold struct {
	turns   []record // committed, oldest first, seq without gaps
	length  int      // elements in the list
	lost    bool     // the list is not whole: its content must not be used
	skipped int      // elements that were not records: which turns they were cannot be known
}

// foldRecords applies the one rule that makes appending safe without scripts:
// for each seq the first element counts. A writer that was overtaken, or whose
// reply got lost so that it appended again, leaves elements without effect.
func foldRecords(list []string) fold {
	f := fold{length: len(list)}
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
			f.turns = append(f.turns, r)
			continue
		}
		last := f.turns[len(f.turns)-1]
		switch {
		case r.epoch == last.epoch && r.seq == last.seq+1:
			f.turns = append(f.turns, r)
		case r.epoch == last.epoch && r.seq <= last.seq, r.epoch < last.epoch:
		case r.epoch > last.epoch && r.seq == 1:
			f.turns = append(f.turns[:0], r)
		default:
			f.lost = true
		}
	}
	if n := len(f.turns); n > 0 && f.turns[0].seq > f.turns[n-1].base {
		f.lost = true
	}
	f.lost = f.lost || f.skipped > 0
	return f
}
