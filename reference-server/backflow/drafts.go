package backflow

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/wire"
)

const (
	draftsMost      = 1000
	answersPerDraft = 32
	draftLife       = 7 * 24 * time.Hour
	draftsShown     = 100
	rejectedMost    = 1000

	alike     = 0.6 // likeness from which two answers say the same
	agreement = 0.8 // share of the answers that must say the same for a draft to be ready
)

// Draft is a question that was asked often, with what the model answered.
type Draft struct {
	ID       string
	Question string
	Answer   string  // the one that is most like the others
	Users    int     // who asked
	Agree    float64 // share of the answers that say the same as Answer
	Ready    bool    // enough asked, and the answers agree
	FirstMS  int64   // Unix
}

// contribution is one answer of a draft, from one dialog.
type contribution struct {
	User     string `json:"u"` // tells users apart, and not who they are
	Question string `json:"q"`
	Answer   string `json:"a"`
	AtMS     int64  `json:"at"`
}

func (c contribution) encode() string {
	return string(wire.JSON(nil).Object("").String("u", c.User).String("q", c.Question).String("a", c.Answer).Int("at", c.AtMS).EndObject())
}

// draftID is the same for questions that are the same.
func draftID(key string) string {
	h := sha256.Sum256([]byte(key))
	return hex.EncodeToString(h[:8])
}

// isDraftID checks the form of an id that an operator names.
func isDraftID(id string) bool {
	b, err := hex.DecodeString(id)
	return err == nil && len(b) == 8
}

func userHash(q Question) string {
	h := sha256.Sum256([]byte(q.Tenant + "\x00" + q.UID))
	return hex.EncodeToString(h[:6])
}

// Drafts lists what waits for review, those that are ready first, then the most asked.
// The error wraps dialog.ErrState.
func (f *Flow) Drafts(ctx context.Context) ([]Draft, error) {
	ids, err := f.redis.ZRevRange(ctx, draftsKey, 0, draftsShown-1).Result()
	if err != nil {
		return nil, stateError(err)
	}
	p := f.redis.Pipeline()
	got := make([]*redis.MapStringStringCmd, len(ids))
	for i, id := range ids {
		got[i] = p.HGetAll(ctx, draftKey(id))
	}
	if _, err := p.Exec(ctx); err != nil && len(ids) > 0 {
		return nil, stateError(err)
	}
	list := []Draft{}
	for i, id := range ids {
		d, ok := draftOf(id, got[i].Val(), f.live().DraftAfter)
		if ok {
			list = append(list, d)
			continue
		}
		_ = f.redis.ZRem(ctx, draftsKey, id).Err() // its answers are too old, and gone
	}
	slices.SortStableFunc(list, func(a, b Draft) int {
		if a.Ready != b.Ready {
			if a.Ready {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Users, a.Users)
	})
	return list, nil
}

// draftOf makes a draft of what is stored; ok is false where nothing is.
func draftOf(id string, stored map[string]string, after int) (d Draft, ok bool) {
	var list []contribution
	users := map[string]bool{}
	for _, raw := range stored {
		var c contribution
		if json.Unmarshal([]byte(raw), &c) == nil && c.Answer != "" {
			list = append(list, c)
			users[c.User] = true
		}
	}
	if len(list) == 0 {
		return Draft{}, false
	}
	slices.SortFunc(list, func(a, b contribution) int {
		return cmp.Or(cmp.Compare(a.AtMS, b.AtMS), cmp.Compare(a.Answer, b.Answer))
	})
	best, agree := 0, 0
	for i := range list {
		n := 0
		for j := range list {
			if likeness(list[i].Answer, list[j].Answer) >= alike {
				n++
			}
		}
		if n > agree {
			best, agree = i, n
		}
	}
	d = Draft{ID: id, Question: list[best].Question, Answer: list[best].Answer, Users: len(users), Agree: float64(agree) / float64(len(list)), FirstMS: list[0].AtMS}
	d.Ready = d.Users >= max(1, after) && d.Agree >= agreement
	return d, true
}

// likeness of two texts, 0 to 1: how many of their pairs of neighbouring letters they
// share (Dice).
func likeness(a, b string) float64 {
	if a == b {
		return 1
	}
	pairs := func(s string) (map[[2]rune]int, int) {
		r := []rune(s)
		m := map[[2]rune]int{}
		for i := 1; i < len(r); i++ {
			m[[2]rune{r[i-1], r[i]}]++
		}
		return m, max(0, len(r)-1)
	}
	of, n := pairs(a)
	other, m := pairs(b)
	if n+m == 0 {
		return 0
	}
	both := 0
	for p, c := range of {
		both += min(c, other[p])
	}
	return 2 * float64(both) / float64(n+m)
}

// Why a draft cannot be accepted or rejected.
var (
	ErrNoDraft   = errors.New("no such draft")
	ErrShelfFull = errors.New("too many accepted entries: take some back, or move them into the FAQ that ships with the server")
)

const acceptScript = `
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
if redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[3]) then return -1 end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
redis.call('INCR', KEYS[4])
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1`

const rejectScript = `
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -tonumber(ARGV[3]) - 1)
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1`

// Accept makes a draft an entry of the FAQ of every server. Question and answer may be
// the reviewer's own; empty ones are the draft's. Errors: ErrNoDraft, ErrShelfFull,
// else wrapping dialog.ErrState.
func (f *Flow) Accept(ctx context.Context, id, question, answer string) (Entry, error) {
	if !isDraftID(id) {
		return Entry{}, ErrNoDraft
	}
	stored, err := f.redis.HGetAll(ctx, draftKey(id)).Result()
	if err != nil {
		return Entry{}, stateError(err)
	}
	d, ok := draftOf(id, stored, 1)
	if !ok {
		return Entry{}, ErrNoDraft
	}
	e := Entry{ID: id, Question: cmp.Or(question, d.Question), Answer: cmp.Or(answer, d.Answer), AtMS: f.now().UnixMilli()}
	n, err := f.scripts.accept.Run(ctx, f.redis, []string{draftsKey, draftKey(id), shelfKey, shelfEdit}, id, e.encode(), shelfMost).Int64()
	switch {
	case err != nil:
		return Entry{}, stateError(err)
	case n == 0:
		return Entry{}, ErrNoDraft
	case n < 0:
		return Entry{}, ErrShelfFull
	}
	f.metrics.reviews["accepted"].Inc()
	f.reread(ctx)
	return e, nil
}

// Reject drops a draft; the same question makes no other. Errors: ErrNoDraft, else
// wrapping dialog.ErrState.
func (f *Flow) Reject(ctx context.Context, id string) error {
	if !isDraftID(id) {
		return ErrNoDraft
	}
	n, err := f.scripts.reject.Run(ctx, f.redis, []string{draftsKey, draftKey(id), rejectedKey}, id, f.now().UnixMilli(), rejectedMost).Int64()
	switch {
	case err != nil:
		return stateError(err)
	case n == 0:
		return ErrNoDraft
	}
	f.metrics.reviews["rejected"].Inc()
	return nil
}
