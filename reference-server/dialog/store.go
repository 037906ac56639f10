package dialog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// leaseTime bounds how long a turn may hold its dialog: several times the
	// end-to-end deadline, because commit checks it against the monotonic
	// clock; short, because a turn whose release got lost blocks the next.
	leaseTime     = 3 * time.Second
	leaseReserve  = time.Second // left at commit, for the commit itself
	dialTimeout   = time.Second
	takeBackPause = 20 * time.Millisecond // between two looks at a lease that may be ours, doubled each time
	takeBackLooks = 4
	commitTimes   = 2  // as much time as another operation: an answer depends on it
	lateWaits     = 2  // operations that the next turn waits for a late commit
	tokenLen      = 16 // hex digits
	pingTimeout   = time.Second
	poolWait      = 50 * time.Millisecond // for a connection: then the turn is turned away
	commitPart    = 4                     // one connection in so many is kept from begins
)

// Why a turn cannot begin or be committed.
var (
	ErrBusy     = errors.New("a turn of this dialog is in progress")
	ErrConflict = errors.New("another turn was committed in between")
	ErrReused   = errors.New("turn_id was used with another text")
	ErrState    = errors.New("dialog state unavailable")
	// ErrCrowded is ErrState for want of a connection: too much was asked at
	// once, and nothing is said about Redis.
	ErrCrowded = fmt.Errorf("%w: no connection is free", ErrState)
)

// stateError types an error of Redis.
func stateError(err error) error {
	if errors.Is(err, redis.ErrPoolTimeout) {
		return fmt.Errorf("%w: %w", ErrCrowded, err)
	}
	return fmt.Errorf("%w: %w", ErrState, err)
}

// Store keeps dialogs in Redis: one list of turns and one lease per dialog,
// sharing a hash tag. A turn costs two round trips, without scripts: begin
// takes the lease and reads the list, commit appends one element. The length
// that RPUSH reports is the fence: it is the one begin saw plus one, or
// somebody else wrote or the list was lost. Lua scripts would do the same in
// one server call each, at six times the cost on the embedded Redis, which
// starts a new interpreter for every call. Safe for concurrent use.
type Store struct {
	Redis      redis.UniversalClient
	timeout    time.Duration // of one operation
	attempts   int           // at begin
	patient    *redis.Client // the same connections, with more time
	orphans    sync.Map      // tokens of begins without a reply, until their leases are taken back
	begins     chan struct{} // a place for each that may be under way; nil: unbounded
	late       *late
	roundtrips int
	Now        func() time.Time
	Observe    func(op string, d time.Duration, err error)
}

// StoreOptions say how Redis is used. They hold while the server runs.
type StoreOptions struct {
	Timeout    time.Duration                                  // of one operation, waiting for a connection included
	Pool       int                                            // connections; 0: dial for every operation
	Attempts   int                                            // at begin
	RoundTrips int                                            // 2: begin and commit, pipelined; 4: one command after the other
	Background *sync.WaitGroup                                // counts commits that are finished late; nil: nobody waits for them
	Observe    func(op string, took time.Duration, err error) // hears of every operation; nil: nobody
}

// NewStore opens a store; nothing is sent until it is used.
func NewStore(opt *redis.Options, o StoreOptions) *Store {
	opt.MaxRetries = -1
	opt.ContextTimeoutEnabled = true
	opt.DialTimeout = max(o.Timeout, dialTimeout) // the operation's own deadline still counts; the dial may serve the next
	opt.ReadTimeout = o.Timeout
	opt.WriteTimeout = o.Timeout
	if opt.PoolTimeout == 0 {
		opt.PoolTimeout = min(o.Timeout, poolWait)
	}
	opt.DisableIdentity = true
	opt.Protocol = 2
	opt.PoolSize = max(1, o.Pool)
	if o.Pool == 0 {
		opt.PoolSize, opt.MaxIdleConns, opt.PoolTimeout = 1024, 1, o.Timeout
		opt.ConnMaxLifetime = time.Nanosecond
	}
	opt.MaxActiveConns = opt.PoolSize
	rdb := redis.NewClient(opt)
	s := &Store{Redis: rdb, patient: rdb.WithTimeout(pingTimeout), timeout: o.Timeout, attempts: max(1, o.Attempts), late: newLate(o.Background), roundtrips: o.RoundTrips, Now: time.Now, Observe: o.Observe}
	if o.Pool > 1 {
		// Commits go before begins: a turn whose answer was made must not wait
		// for turns that may still be turned away.
		s.begins = make(chan struct{}, o.Pool-max(1, o.Pool/commitPart))
	}
	if s.Observe == nil {
		s.Observe = func(string, time.Duration, error) {}
	}
	return s
}

// ListKey is where Redis keeps the turns of a dialog.
func ListKey(id string) string  { return "dlg:{" + id + "}" }
func leaseKey(id string) string { return "dlg:{" + id + "}:lease" }

// Hold is a turn in progress: what begin saw and what commit must still find.
type Hold struct {
	ID      string
	Token   string
	Leased  bool
	since   time.Time
	Epoch   int64
	Seq     int // of this turn
	Born    int64
	Length  int
	Lost    bool // the list must be replaced, not appended to
	Turns   []Record
	Fresh   bool // the dialog begins with this turn
	Skipped int
}

// Fresh starts a dialog that cannot exist yet: its id was drawn a moment ago,
// so there is nothing to read and nobody to exclude.
func (s *Store) Fresh(id string) *Hold {
	now := s.Now()
	return &Hold{ID: id, Token: RandomHex(8), since: now, Epoch: now.UnixMilli(), Born: now.UnixMilli(), Seq: 1, Fresh: true}
}

// Begin takes the dialog's lease and reads its turns. replay is the stored
// response when turnID was answered before. Errors: errBusy, errReused, else
// wrapping errState.
func (s *Store) Begin(ctx context.Context, id, turnID, hash string, exclusive bool, hard time.Duration) (h *Hold, replay []byte, err error) {
	start := s.Now()
	defer func() {
		if ctx.Err() == nil { // a caller who left says nothing about Redis
			s.Observe("begin", s.Now().Sub(start), err)
		}
	}()
	h = &Hold{ID: id, Token: RandomHex(8), since: start}
	s.late.wait(ctx, id, lateWaits*s.timeout)
	if err := s.beginPlace(ctx); err != nil {
		return nil, nil, err
	}
	defer s.beginDone()
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
			s.orphans.Store(h.Token, struct{}{})
			go s.takeBack(h, turnID) // the lease may be ours without our knowing
		}
		return nil, nil, stateError(err)
	}
	if exclusive && !leased {
		leased = s.takeOver(ctx, h, turnID)
	}
	h.Leased = leased
	f := foldRecords(list)
	for i := range f.turns {
		if f.turns[i].TurnID == turnID {
			s.Release(h)
			if f.turns[i].TextHash != hash {
				return nil, nil, ErrReused
			}
			return nil, f.turns[i].Response, nil
		}
	}
	if exclusive && !leased {
		return nil, nil, ErrBusy
	}
	h.adopt(f, start, hard)
	return h, nil, nil
}

// Ping asks whether Redis answers at all, with the time of ctx rather than that
// of an operation. Want of a connection is no answer to that: nil.
func (s *Store) Ping(ctx context.Context) error {
	err := s.patient.Ping(ctx).Err()
	if errors.Is(err, redis.ErrPoolTimeout) {
		return nil
	}
	return err
}

// takeOver takes a lease that belongs to nobody: to a begin of this process whose
// reply never came. The list that was read beside it is good: such a begin
// commits nothing.
func (s *Store) takeOver(ctx context.Context, h *Hold, turnID string) bool {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	v, err := s.Redis.Get(ctx, leaseKey(h.ID)).Result()
	if err != nil || len(v) < tokenLen {
		return false
	}
	if _, orphan := s.orphans.LoadAndDelete(v[:tokenLen]); !orphan {
		return false
	}
	if err := s.Redis.Del(ctx, leaseKey(h.ID)).Err(); err != nil {
		return false
	}
	ok, err := s.Redis.SetNX(ctx, leaseKey(h.ID), h.Token+turnID, leaseTime).Result()
	return err == nil && ok
}

// beginPlace waits for one of the connections that begins may use.
func (s *Store) beginPlace(ctx context.Context) error {
	if s.begins == nil {
		return nil
	}
	select {
	case s.begins <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(poolWait)
	defer timer.Stop()
	select {
	case s.begins <- struct{}{}:
		return nil
	case <-timer.C:
		return ErrCrowded
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrState, ctx.Err())
	}
}

func (s *Store) beginDone() {
	if s.begins != nil {
		<-s.begins
	}
}

// adopt derives what the next commit must look like.
func (h *Hold) adopt(f fold, now time.Time, hard time.Duration) {
	h.Length, h.Turns, h.Skipped = f.length, f.turns, f.skipped
	if n := len(f.turns); n > 0 {
		last := f.turns[n-1]
		h.Epoch, h.Seq, h.Born = last.Epoch, last.Seq+1, last.Born
	}
	if f.lost || len(f.turns) == 0 || now.UnixMilli()-h.Born > hard.Milliseconds() {
		h.Lost, h.Turns = true, nil
		h.Epoch, h.Seq, h.Born = max(now.UnixMilli(), h.Epoch+1), 1, now.UnixMilli()
	}
}

// tryOpen is open within the time of one operation. Made again, it recognises
// the lease that an attempt without a reply took.
func (s *Store) tryOpen(ctx context.Context, h *Hold, exclusive bool, turnID string, again bool) ([]string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	list, leased, err := s.open(ctx, h, exclusive, turnID)
	if err == nil && again && exclusive && !leased {
		v, err := s.Redis.Get(ctx, leaseKey(h.ID)).Result()
		return list, err == nil && v == h.Token+turnID, nil
	}
	return list, leased, err
}

func (s *Store) open(ctx context.Context, h *Hold, exclusive bool, turnID string) ([]string, bool, error) {
	key, lease := ListKey(h.ID), leaseKey(h.ID)
	if s.roundtrips == 4 {
		leased := false
		if exclusive {
			ok, err := s.Redis.SetNX(ctx, lease, h.Token+turnID, leaseTime).Result()
			if err != nil {
				return nil, false, err
			}
			leased = ok
		}
		list, err := s.Redis.LRange(ctx, key, 0, -1).Result()
		return list, leased, s.quarantine(ctx, key, err)
	}
	var taken *redis.BoolCmd
	p := s.Redis.Pipeline()
	if exclusive {
		taken = p.SetNX(ctx, lease, h.Token+turnID, leaseTime)
	}
	got := p.LRange(ctx, key, 0, -1)
	if _, err := p.Exec(ctx); err != nil && s.quarantine(ctx, key, err) != nil {
		return nil, false, err
	}
	return got.Val(), taken != nil && taken.Val(), nil
}

// quarantine moves a key of the wrong type out of the way: the dialog starts
// anew. Any other error is returned as it is.
func (s *Store) quarantine(ctx context.Context, key string, err error) error {
	if err == nil || !strings.HasPrefix(err.Error(), "WRONGTYPE") {
		return err
	}
	return s.Redis.Rename(ctx, key, key+":quarantine").Err()
}

// Holder says whose turn holds the lease of a dialog: the turn_id, or "".
func (s *Store) Holder(ctx context.Context, id string) (string, error) {
	v, err := s.Redis.Get(ctx, leaseKey(id)).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	if err != nil || len(v) < 16 {
		return "", err
	}
	return v[16:], nil
}

// Kept are the limits of what stays of a dialog.
type Kept struct {
	Messages int
	Bytes    int
	TTL      time.Duration
	Hard     time.Duration
}

// Commit appends the turn. It is safe to call again after an error: a second
// element for the same seq has no effect. errConflict means that another turn
// took the seq (or the lease ran out); errState that Redis did not answer.
func (s *Store) Commit(ctx context.Context, h *Hold, r *Record, k Kept) (err error) {
	start := s.Now()
	defer func() { s.Observe("commit", s.Now().Sub(start), err) }()
	if h.Leased && start.Sub(h.since) >= leaseTime-leaseReserve {
		return ErrConflict
	}
	return s.append(ctx, h, r, k)
}

// append is commit without a look at the lease: the length alone fences.
func (s *Store) append(ctx context.Context, h *Hold, r *Record, k Kept) error {
	start := s.Now()
	drop := h.trim(r, k)
	r.base = r.Seq - (len(h.Turns) - drop)
	ttl := min(k.TTL, time.UnixMilli(h.Born).Add(k.Hard).Sub(start))
	if ttl <= 0 {
		ttl = time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimes*s.timeout)
	defer cancel()
	length, err := s.push(ctx, h, string(r.appendJSON(make([]byte, 0, 256+len(r.User)+len(r.Response)))), drop, ttl)
	if err != nil {
		return stateError(err)
	}
	want := int64(h.Length + 1)
	if h.Lost {
		want = 1
	}
	if length == want {
		return nil
	}
	return s.settle(ctx, h, r)
}

// trim counts how many of the oldest turns must go for r to fit.
func (h *Hold) trim(r *Record, k Kept) int {
	bytes, drop := r.Size(), len(h.Turns)
	for drop > 0 && len(h.Turns)-drop+2 <= k.Messages/2 {
		bytes += h.Turns[drop-1].Size()
		if bytes > k.Bytes {
			break
		}
		drop--
	}
	return drop
}

// firstKept is the place in the list that LTRIM leaves first.
func (h *Hold) firstKept(drop int) int64 {
	switch {
	case h.Lost || len(h.Turns) == 0:
		return 0
	case drop < len(h.Turns):
		return int64(h.Turns[drop].at)
	}
	return int64(h.Length)
}

func (s *Store) push(ctx context.Context, h *Hold, item string, drop int, ttl time.Duration) (int64, error) {
	key := ListKey(h.ID)
	if s.roundtrips == 4 {
		if h.Lost && h.Length > 0 {
			if err := s.patient.Del(ctx, key).Err(); err != nil {
				return 0, err
			}
		}
		n, err := s.patient.RPush(ctx, key, item).Result()
		if err != nil {
			return 0, err
		}
		if err := s.patient.LTrim(ctx, key, h.firstKept(drop), -1).Err(); err != nil {
			return 0, err
		}
		if h.Leased && s.Now().Sub(h.since) < leaseTime-leaseReserve {
			s.patient.Del(ctx, leaseKey(h.ID))
		}
		return n, s.patient.PExpire(ctx, key, ttl).Err()
	}
	p := s.patient.TxPipeline()
	if h.Lost && h.Length > 0 {
		p.Del(ctx, key)
	}
	pushed := p.RPush(ctx, key, item)
	if drop > 0 && !h.Lost {
		p.LTrim(ctx, key, h.firstKept(drop), -1)
	}
	p.PExpire(ctx, key, ttl)
	if h.Leased && s.Now().Sub(h.since) < leaseTime-leaseReserve {
		p.Del(ctx, leaseKey(h.ID))
	}
	_, err := p.Exec(ctx)
	return pushed.Val(), err
}

// settle reads the list again to learn whose element counts for r's seq.
func (s *Store) settle(ctx context.Context, h *Hold, r *Record) error {
	list, err := s.Redis.LRange(ctx, ListKey(h.ID), 0, -1).Result()
	if err != nil {
		return stateError(err)
	}
	f := foldRecords(list)
	for i := range f.turns {
		if f.turns[i].Token == r.Token && !f.lost {
			return nil
		}
	}
	if f.lost && len(list) == 1 {
		// The list was lost while the turn ran: this turn begins a new epoch,
		// which the next turn reports.
		s.Redis.Del(ctx, ListKey(h.ID))
		return fmt.Errorf("%w: dialog was lost while its turn ran", ErrState)
	}
	return ErrConflict
}

// Release gives the lease back when a turn ends without a commit. Best effort:
// the lease runs out by itself.
func (s *Store) Release(h *Hold) {
	if h == nil || !h.Leased || s.Now().Sub(h.since) >= leaseTime-leaseReserve {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	_ = s.Redis.Del(ctx, leaseKey(h.ID)).Err()
}

// takeBack removes the lease that a begin without a reply may have left, and
// tries until that is done or the lease has run out. Redis may execute the begin
// only after it has said that there is no lease, so it is asked a few times.
func (s *Store) takeBack(h *Hold, turnID string) {
	defer s.orphans.Delete(h.Token)
	for misses, pause := 0, takeBackPause; misses < takeBackLooks && s.Now().Sub(h.since) < leaseTime-leaseReserve; pause *= 2 {
		ctx, cancel := context.WithTimeout(context.Background(), leaseTime-leaseReserve)
		v, err := s.Redis.Get(ctx, leaseKey(h.ID)).Result()
		if err == nil && v == h.Token+turnID && s.Now().Sub(h.since) < leaseTime-leaseReserve {
			err = s.Redis.Del(ctx, leaseKey(h.ID)).Err()
			if err == nil {
				cancel()
				return
			}
		}
		cancel()
		if err == nil || IsNil(err) {
			misses++
		}
		select {
		case <-s.late.stop:
			return
		case <-time.After(pause):
		}
	}
}

// Erase removes everything of a dialog.
func (s *Store) Erase(ctx context.Context, id string) error {
	if err := s.Redis.Del(ctx, ListKey(id), leaseKey(id), ListKey(id)+":quarantine").Err(); err != nil {
		return stateError(err)
	}
	return nil
}

// History returns the turns of a dialog.
func (s *Store) History(ctx context.Context, id string) ([]Record, error) {
	list, err := s.Redis.LRange(ctx, ListKey(id), 0, -1).Result()
	if err != nil {
		return nil, stateError(err)
	}
	f := foldRecords(list)
	if f.lost {
		return nil, nil
	}
	return f.turns, nil
}

// RedisOptions reads a redis:// URL. The URL may hold a password, so errors
// never repeat it.
func RedisOptions(raw string) (*redis.Options, error) {
	opt, err := redis.ParseURL(raw)
	if err != nil {
		return nil, errors.New("redis: want redis://[user:password@]host:port[/db]")
	}
	if _, _, err := net.SplitHostPort(opt.Addr); err != nil {
		return nil, errors.New("redis: want redis://[user:password@]host:port[/db]")
	}
	return opt, nil
}

// IsNil says whether Redis answered that there is no such key.
func IsNil(err error) bool { return errors.Is(err, redis.Nil) }
