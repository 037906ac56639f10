package refserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// leaseTime bounds how long a turn may hold its dialog: several times the
	// end-to-end deadline, because commit checks it against the monotonic
	// clock; short, because a turn whose release got lost blocks the next.
	leaseTime    = 3 * time.Second
	leaseReserve = time.Second // left at commit, for the commit itself
	dialTimeout  = time.Second
	poolWait     = 50 * time.Millisecond // for a connection: then the turn degrades
)

var (
	errBusy     = errors.New("a turn of this dialog is in progress")
	errConflict = errors.New("another turn was committed in between")
	errReused   = errors.New("turn_id was used with another text")
	errState    = errors.New("dialog state unavailable")
)

// store keeps dialogs in Redis: one list of turns and one lease per dialog,
// sharing a hash tag. A turn costs two round trips, without scripts: begin
// takes the lease and reads the list, commit appends one element. The length
// that RPUSH reports is the fence: it is the one begin saw plus one, or
// somebody else wrote or the list was lost. Lua scripts would do the same in
// one server call each, at six times the cost on the embedded Redis, which
// starts a new interpreter for every call. Safe for concurrent use.
type store struct {
	rdb        redis.UniversalClient
	timeout    time.Duration // of one operation
	attempts   int           // at begin
	late       *late
	roundtrips int
	now        func() time.Time
	observe    func(op string, d time.Duration, err error)
}

func newStore(opt *redis.Options, s *settings) *store {
	opt.MaxRetries = -1
	opt.ContextTimeoutEnabled = true
	opt.DialTimeout = max(s.redisTimeout.D(), dialTimeout) // the operation's own deadline still counts; the dial may serve the next
	opt.ReadTimeout = s.redisTimeout.D()
	opt.WriteTimeout = s.redisTimeout.D()
	if opt.PoolTimeout == 0 {
		opt.PoolTimeout = min(s.redisTimeout.D(), poolWait)
	}
	opt.DisableIdentity = true
	opt.Protocol = 2
	opt.PoolSize = max(1, int(s.redisPool))
	if s.redisPool == 0 {
		opt.PoolSize, opt.MaxIdleConns, opt.PoolTimeout = 1024, 1, s.redisTimeout.D()
		opt.ConnMaxLifetime = time.Nanosecond
	}
	opt.MaxActiveConns = opt.PoolSize
	attempts := 1
	if s.tiers {
		attempts = 2
	}
	return &store{rdb: redis.NewClient(opt), timeout: s.redisTimeout.D(), attempts: attempts, late: newLate(), roundtrips: int(s.redisRoundtrips), now: time.Now, observe: func(string, time.Duration, error) {}}
}

func listKey(id string) string  { return "dlg:{" + id + "}" }
func leaseKey(id string) string { return "dlg:{" + id + "}:lease" }

// hold is a turn in progress: what begin saw and what commit must still find.
type hold struct {
	id      string
	token   string
	leased  bool
	since   time.Time
	epoch   int64
	seq     int // of this turn
	born    int64
	length  int
	lost    bool // the list must be replaced, not appended to
	turns   []record
	fresh   bool // the dialog begins with this turn
	skipped int
}

// fresh starts a dialog that cannot exist yet: its id was drawn a moment ago,
// so there is nothing to read and nobody to exclude.
func (s *store) fresh(id string) *hold {
	now := s.now()
	return &hold{id: id, token: randomHex(8), since: now, epoch: now.UnixMilli(), born: now.UnixMilli(), seq: 1, fresh: true}
}

// begin takes the dialog's lease and reads its turns. replay is the stored
// response when turnID was answered before. Errors: errBusy, errReused, else
// wrapping errState.
func (s *store) begin(ctx context.Context, id, turnID, hash string, exclusive bool, hard time.Duration) (h *hold, replay []byte, err error) {
	start := s.now()
	defer func() {
		if ctx.Err() == nil { // a caller who left says nothing about Redis
			s.observe("begin", s.now().Sub(start), err)
		}
	}()
	h = &hold{id: id, token: randomHex(8), since: start}
	s.late.wait(ctx, id, s.timeout)
	var list []string
	var leased bool
	for try := range s.attempts {
		list, leased, err = s.tryOpen(ctx, h, exclusive, turnID, try > 0)
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		if exclusive {
			go s.takeBack(h, turnID) // the lease may be ours without our knowing
		}
		return nil, nil, fmt.Errorf("%w: %w", errState, err)
	}
	h.leased = leased
	f := foldRecords(list)
	for i := range f.turns {
		if f.turns[i].turnID == turnID {
			s.release(h)
			if f.turns[i].textHash != hash {
				return nil, nil, errReused
			}
			return nil, f.turns[i].response, nil
		}
	}
	if exclusive && !leased {
		return nil, nil, errBusy
	}
	h.adopt(f, start, hard)
	return h, nil, nil
}

// adopt derives what the next commit must look like.
func (h *hold) adopt(f fold, now time.Time, hard time.Duration) {
	h.length, h.turns, h.skipped = f.length, f.turns, f.skipped
	if n := len(f.turns); n > 0 {
		last := f.turns[n-1]
		h.epoch, h.seq, h.born = last.epoch, last.seq+1, last.born
	}
	if f.lost || len(f.turns) == 0 || now.UnixMilli()-h.born > hard.Milliseconds() {
		h.lost, h.turns = true, nil
		h.epoch, h.seq, h.born = max(now.UnixMilli(), h.epoch+1), 1, now.UnixMilli()
	}
}

// tryOpen is open within the time of one operation. Made again, it recognises
// the lease that an attempt without a reply took.
func (s *store) tryOpen(ctx context.Context, h *hold, exclusive bool, turnID string, again bool) ([]string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	list, leased, err := s.open(ctx, h, exclusive, turnID)
	if err == nil && again && exclusive && !leased {
		v, err := s.rdb.Get(ctx, leaseKey(h.id)).Result()
		return list, err == nil && v == h.token+turnID, nil
	}
	return list, leased, err
}

func (s *store) open(ctx context.Context, h *hold, exclusive bool, turnID string) ([]string, bool, error) {
	key, lease := listKey(h.id), leaseKey(h.id)
	if s.roundtrips == 4 {
		leased := false
		if exclusive {
			ok, err := s.rdb.SetNX(ctx, lease, h.token+turnID, leaseTime).Result()
			if err != nil {
				return nil, false, err
			}
			leased = ok
		}
		list, err := s.rdb.LRange(ctx, key, 0, -1).Result()
		return list, leased, s.quarantine(ctx, key, err)
	}
	var taken *redis.BoolCmd
	p := s.rdb.Pipeline()
	if exclusive {
		taken = p.SetNX(ctx, lease, h.token+turnID, leaseTime)
	}
	got := p.LRange(ctx, key, 0, -1)
	if _, err := p.Exec(ctx); err != nil && s.quarantine(ctx, key, err) != nil {
		return nil, false, err
	}
	return got.Val(), taken != nil && taken.Val(), nil
}

// quarantine moves a key of the wrong type out of the way: the dialog starts
// anew. Any other error is returned as it is.
func (s *store) quarantine(ctx context.Context, key string, err error) error {
	if err == nil || !strings.HasPrefix(err.Error(), "WRONGTYPE") {
		return err
	}
	return s.rdb.Rename(ctx, key, key+":quarantine").Err()
}

// holder says whose turn holds the lease of a dialog: the turn_id, or "".
func (s *store) holder(ctx context.Context, id string) (string, error) {
	v, err := s.rdb.Get(ctx, leaseKey(id)).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	if err != nil || len(v) < 16 {
		return "", err
	}
	return v[16:], nil
}

// kept are the limits of what stays of a dialog.
type kept struct {
	messages int
	bytes    int
	ttl      time.Duration
	hard     time.Duration
}

// commit appends the turn. It is safe to call again after an error: a second
// element for the same seq has no effect. errConflict means that another turn
// took the seq (or the lease ran out); errState that Redis did not answer.
func (s *store) commit(ctx context.Context, h *hold, r *record, k kept) (err error) {
	start := s.now()
	defer func() { s.observe("commit", s.now().Sub(start), err) }()
	if h.leased && start.Sub(h.since) >= leaseTime-leaseReserve {
		return errConflict
	}
	return s.append(ctx, h, r, k)
}

// append is commit without a look at the lease: the length alone fences.
func (s *store) append(ctx context.Context, h *hold, r *record, k kept) error {
	start := s.now()
	drop := h.trim(r, k)
	r.base = r.seq - (len(h.turns) - drop)
	ttl := min(k.ttl, time.UnixMilli(h.born).Add(k.hard).Sub(start))
	if ttl <= 0 {
		ttl = time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	length, err := s.push(ctx, h, string(r.appendJSON(make([]byte, 0, 256+len(r.user)+len(r.response)))), drop, ttl)
	if err != nil {
		return fmt.Errorf("%w: %w", errState, err)
	}
	want := int64(h.length + 1)
	if h.lost {
		want = 1
	}
	if length == want {
		return nil
	}
	return s.settle(ctx, h, r)
}

// trim counts how many of the oldest turns must go for r to fit.
func (h *hold) trim(r *record, k kept) int {
	bytes, drop := r.size(), len(h.turns)
	for drop > 0 && len(h.turns)-drop+2 <= k.messages/2 {
		bytes += h.turns[drop-1].size()
		if bytes > k.bytes {
			break
		}
		drop--
	}
	return drop
}

// firstKept is the place in the list that LTRIM leaves first.
func (h *hold) firstKept(drop int) int64 {
	switch {
	case h.lost || len(h.turns) == 0:
		return 0
	case drop < len(h.turns):
		return int64(h.turns[drop].at)
	}
	return int64(h.length)
}

func (s *store) push(ctx context.Context, h *hold, item string, drop int, ttl time.Duration) (int64, error) {
	key := listKey(h.id)
	if s.roundtrips == 4 {
		if h.lost && h.length > 0 {
			if err := s.rdb.Del(ctx, key).Err(); err != nil {
				return 0, err
			}
		}
		n, err := s.rdb.RPush(ctx, key, item).Result()
		if err != nil {
			return 0, err
		}
		if err := s.rdb.LTrim(ctx, key, h.firstKept(drop), -1).Err(); err != nil {
			return 0, err
		}
		if h.leased && s.now().Sub(h.since) < leaseTime-leaseReserve {
			s.rdb.Del(ctx, leaseKey(h.id))
		}
		return n, s.rdb.PExpire(ctx, key, ttl).Err()
	}
	p := s.rdb.TxPipeline()
	if h.lost && h.length > 0 {
		p.Del(ctx, key)
	}
	pushed := p.RPush(ctx, key, item)
	if drop > 0 && !h.lost {
		p.LTrim(ctx, key, h.firstKept(drop), -1)
	}
	p.PExpire(ctx, key, ttl)
	if h.leased && s.now().Sub(h.since) < leaseTime-leaseReserve {
		p.Del(ctx, leaseKey(h.id))
	}
	_, err := p.Exec(ctx)
	return pushed.Val(), err
}

// settle reads the list again to learn whose element counts for r's seq.
func (s *store) settle(ctx context.Context, h *hold, r *record) error {
	list, err := s.rdb.LRange(ctx, listKey(h.id), 0, -1).Result()
	if err != nil {
		return fmt.Errorf("%w: %w", errState, err)
	}
	f := foldRecords(list)
	for i := range f.turns {
		if f.turns[i].token == r.token && !f.lost {
			return nil
		}
	}
	if f.lost && len(list) == 1 {
		// The list was lost while the turn ran: this turn begins a new epoch,
		// which the next turn reports.
		s.rdb.Del(ctx, listKey(h.id))
		return fmt.Errorf("%w: dialog was lost while its turn ran", errState)
	}
	return errConflict
}

// release gives the lease back when a turn ends without a commit. Best effort:
// the lease runs out by itself.
func (s *store) release(h *hold) {
	if h == nil || !h.leased || s.now().Sub(h.since) >= leaseTime-leaseReserve {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	_ = s.rdb.Del(ctx, leaseKey(h.id)).Err()
}

// takeBack removes the lease that a begin without a reply may have left.
func (s *store) takeBack(h *hold, turnID string) {
	ctx, cancel := context.WithTimeout(context.Background(), leaseTime-leaseReserve)
	defer cancel()
	if v, err := s.rdb.Get(ctx, leaseKey(h.id)).Result(); err == nil && v == h.token+turnID && s.now().Sub(h.since) < leaseTime-leaseReserve {
		_ = s.rdb.Del(ctx, leaseKey(h.id)).Err()
	}
}

// erase removes everything of a dialog.
func (s *store) erase(ctx context.Context, id string) error {
	if err := s.rdb.Del(ctx, listKey(id), leaseKey(id), listKey(id)+":quarantine").Err(); err != nil {
		return fmt.Errorf("%w: %w", errState, err)
	}
	return nil
}

// history returns the turns of a dialog.
func (s *store) history(ctx context.Context, id string) ([]record, error) {
	list, err := s.rdb.LRange(ctx, listKey(id), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	f := foldRecords(list)
	if f.lost {
		return nil, nil
	}
	return f.turns, nil
}

// redisOptions reads a redis:// URL. The URL may hold a password, so errors
// never repeat it.
func redisOptions(raw string) (*redis.Options, error) {
	opt, err := redis.ParseURL(raw)
	if err != nil {
		return nil, errors.New("redis: want redis://[user:password@]host:port[/db]")
	}
	if _, _, err := net.SplitHostPort(opt.Addr); err != nil {
		return nil, errors.New("redis: want redis://[user:password@]host:port[/db]")
	}
	return opt, nil
}

// isNil says whether Redis answered that there is no such key.
func isNil(err error) bool { return errors.Is(err, redis.Nil) }
