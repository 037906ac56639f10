package chat

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cstest/cstest/reference-server/admission"
	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/backflow"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/gray"
	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/model"
)

// Rooms are what turns go through. All of them are needed but FAQ and Backflow.
type Rooms struct {
	Knobs      *knobs.Live
	Limiter    *admission.Limiter
	IDs        *dialog.Minter
	Dialogs    *dialog.Store
	Watch      *degrade.Watch
	Intents    *answer.Intents
	FAQ        *answer.Book   // nil: could not be built
	Backflow   *backflow.Flow // nil: nothing is asked again
	Model      *model.Client
	Caller     *model.Caller
	Gray       *gray.Releases
	GrayCaller *model.Caller // of the gray group, while it has knobs of its own
	Desk       *desk.Desk
	Screen     *Screen
	Metrics    prometheus.Registerer
	Log        *slog.Logger
	Background *sync.WaitGroup                    // counts what goes on after an answer
	Draining   func() bool                        // the server is going down
	Spent      func(who dialog.Owner, tokens int) // hears what a user has cost at the model
	Ticket     func(who dialog.Owner) bool        // takes one of those that a user may have of questions nobody else can answer
}

// Chat answers turns. Safe for concurrent use.
type Chat struct {
	Rooms

	faq      watchedFAQ
	hot      *hotCache
	twins    twins
	metrics  *metrics
	counts   counts
	inFlight atomic.Int64
}

// counts are the exact figures of Figures.
type counts struct {
	turns    atomic.Int64
	degraded atomic.Int64
	answers  [len(degrade.TierNames)]atomic.Int64
}

// New makes a chat; Close ends it.
func New(r Rooms) *Chat {
	c := &Chat{Rooms: r, faq: watchedFAQ{r.FAQ, r.Watch}, hot: newHotCache()}
	c.metrics = newMetrics(c)
	return c
}

// Close ends what the chat does in the background.
func (c *Chat) Close() { c.hot.answers.StopAllGoroutines() }

// InFlight is how many turns are being answered.
func (c *Chat) InFlight() int64 { return c.inFlight.Load() }

// Forget empties the cache of hot answers.
func (c *Chat) Forget() { c.hot.answers.InvalidateAll() }
