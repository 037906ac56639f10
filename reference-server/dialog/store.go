package dialog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

const (
	dialTimeout = time.Second
	pingTimeout = time.Second
	poolWait    = 50 * time.Millisecond // for a connection: then the turn is turned away
	commitPart  = 4                     // one connection in so many is kept from begins
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
// that RPUSH reports is the fence, and that the old elements to be taken out were
// there: it is the one begin saw plus one, or somebody else wrote or the list was
// lost. Lua scripts would do the same in
// one server call each, at six times the cost on the embedded Redis, which
// starts a new interpreter for every call. Safe for concurrent use.
type Store struct {
	redis      redis.UniversalClient
	timeout    time.Duration // of one operation
	attempts   int           // at begin
	patient    *redis.Client // the same connections, with more time
	orphans    sync.Map      // tokens of begins without a reply, until their leases are taken back
	begins     places        // of begins under way
	asks, puts *ferry        // begins and commits of many dialogs; nil: each goes by itself
	asking     pipes         // for begins
	putting    pipes         // for commits
	late       *late
	answers    *recent[[]answered] // by dialog
	tails      *recent[tail]       // by dialog
	erased     *recent[time.Time]  // by dialog: until when its mark stands
	markLife   func() time.Duration
	hear       func(Erasures)
	hearing    sync.Mutex
	heard      string        // the last message of the stream of erasures
	wake       chan struct{} // there may be another
	roundtrips int
	now        func() time.Time
	observe    func(op string, d time.Duration, err error)
}

// StoreOptions say how Redis is used. They hold while the server runs.
type StoreOptions struct {
	Timeout    time.Duration                                  // of one operation, waiting for a connection included
	Pool       int                                            // connections; 0: dial for every operation
	Attempts   int                                            // at begin
	RoundTrips int                                            // 2: begin and commit, pipelined; 4: one command after the other
	Background *sync.WaitGroup                                // counts commits that are finished late; nil: nobody waits for them
	Gather     time.Duration                                  // begins and commits leave so often, together; 0: each by itself
	Observe    func(op string, took time.Duration, err error) // hears of every operation; nil: nobody
	MarkLife   func() time.Duration                           // longer than a turn that is under way can still write; nil: a minute
	Erased     func(Erasures)                                 // hears of every dialog that any server has erased; nil: nobody
	Trips      *RoundTrips                                    // counts those of clients made with the options; nil: nobody does
}

// Connect makes a client with the time and the connections of the options.
// Nothing is sent until it is used.
func Connect(opt *redis.Options, o StoreOptions) *redis.Client {
	logging.Disable() // of all clients: its lines are no JSON, and redis_errors_total and the log line of a tier say the same
	opt.MaxRetries = -1
	opt.ContextTimeoutEnabled = true
	opt.DialTimeout = max(o.Timeout, dialTimeout) // the operation's own deadline still counts; the dial may serve the next
	opt.DialerRetries = 1                         // the next operation dials again: nobody hangs on to a connection that does not come
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
	c := redis.NewClient(opt)
	if o.Trips != nil {
		c.AddHook(o.Trips)
	}
	return c
}

// NewStore makes a store of dialogs in the Redis of a client that Connect made
// with the same options.
func NewStore(rdb *redis.Client, o StoreOptions) *Store {
	s := &Store{
		redis: rdb, patient: rdb.WithTimeout(pingTimeout), timeout: o.Timeout, attempts: max(1, o.Attempts), late: newLate(o.Background), roundtrips: o.RoundTrips, now: time.Now, observe: o.Observe,
		answers: newRecent[[]answered](rememberDialogs), tails: newRecent[tail](rememberTails), erased: newRecent[time.Time](rememberErased),
		markLife: o.MarkLife, hear: o.Erased, heard: "0", wake: make(chan struct{}, 1),
	}
	if o.Trips != nil {
		s.patient.AddHook(o.Trips) // a client with another timeout has no hooks of the one it was made of
	}
	s.asking.another = func() redis.Pipeliner { return s.redis.Pipeline() }
	s.putting.another = func() redis.Pipeliner { return s.patient.TxPipeline() }
	if o.Pool > 1 {
		// Commits go before begins: a turn whose answer was made must not wait
		// for turns that may still be turned away.
		s.begins = make(places, o.Pool-max(1, o.Pool/commitPart))
	}
	if o.Gather > 0 && o.RoundTrips == 2 {
		every := min(o.Gather, o.Timeout/2) // the rest is for the trip
		s.asks = &ferry{redis: rdb, places: s.begins, every: every, timeout: o.Timeout}
		s.puts = &ferry{redis: s.patient, whole: true, every: every, timeout: commitTimes * o.Timeout}
	}
	if s.observe == nil {
		s.observe = func(string, time.Duration, error) {}
	}
	return s
}

// ListKey is where Redis keeps the turns of a dialog.
func ListKey(id string) string { return "dlg:{" + id + "}" }

// History returns the turns of a dialog; there are none of one that was erased.
func (s *Store) History(ctx context.Context, id string) ([]Record, error) {
	turns, err := s.turns(ctx, id)
	if errors.Is(err, ErrErased) {
		return nil, nil
	}
	return turns, err
}

func (s *Store) turns(ctx context.Context, id string) ([]Record, error) {
	known, _ := s.tails.get(id)
	list, err := s.redis.LRange(ctx, ListKey(id), 0, -1).Result()
	if wrongType(err) {
		switch erased, err := marked(ctx, s.redis, id); {
		case err != nil:
			return nil, err
		case erased:
			return nil, ErrErased
		}
	}
	if err != nil {
		return nil, stateError(err)
	}
	f := foldRecords(list)
	known.whole(&f)
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
