package chat

import (
	"context"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/dialog"
)

// hotAnswer is a model's answer to a reviewed question, the same for everybody.
type hotAnswer struct {
	text       string
	fresh      time.Time // until then served as it is, afterwards once more while it is asked anew
	refreshing atomic.Bool
}

// hotCache keeps answers to hot questions: only exact questions of reviewed FAQ
// entries, which mean the same to everybody at any turn, and only answers that were
// made without a dialog or personal data. Safe for concurrent use.
//
// With cache.reach: text it goes by the text alone, as the article's: whoever asks gets
// it, with whatever the one who asked first had said before. That leaks, and is there
// to be found. With lossy the turn is not written to the history either.
type hotCache struct {
	answers *otter.Cache[string, *hotAnswer]
	flight  singleflight.Group
	filling sync.Map // keys that are asked for aside
	hits    atomic.Int64
	misses  atomic.Int64
	stale   atomic.Int64
}

const (
	hotSize       = 1024
	policyVersion = "1" // part of the key: a new prompt or FAQ makes old answers unreachable
)

func newHotCache() *hotCache {
	return &hotCache{answers: otter.Must(&otter.Options[string, *hotAnswer]{MaximumSize: hotSize, ExpiryCalculator: otter.ExpiryWriting[string, *hotAnswer](10 * time.Minute)})}
}

// The values of cache.reach with which the cache leaks.
const (
	reachText  = "text"
	reachLossy = "lossy"
)

// byText says whether answers are shared by the text alone.
func (t *Turn) byText() bool {
	return t.set.CacheReach == reachText || t.set.CacheReach == reachLossy
}

// hotKey is the key of a turn in the cache, or "" when its answer must not be
// shared.
func (t *Turn) hotKey() string {
	if t.set.CacheHot <= 0 {
		return ""
	}
	text, ok := t.chat.faq.Hot(t.words.Said)
	switch {
	case !ok:
		return ""
	case t.byText():
		return text
	case t.ans.piiIn > 0:
		return ""
	}
	return t.who.Tenant + "\x00zh\x00" + policyVersion + "\x00" + t.set.LLMModel + "\x00" + t.set.LLMPrompt + "\x00" + text
}

// viaCache asks the model once for all who wait for the answer to the same hot
// question. done is false when the turn must ask by itself; err is the model's.
func (t *Turn) viaCache(ctx context.Context, key string) (done bool, err error) {
	c := t.chat.hot
	c.misses.Add(1)
	if t.fillAside(key) {
		return false, nil
	}
	leader := false
	v, err, _ := c.flight.Do(key, func() (any, error) {
		leader = true
		if err := t.answerByModel(ctx); err != nil {
			return nil, err
		}
		return t.keepHot(key, t.ans.text), nil
	})
	switch {
	case leader:
		return err == nil, err
	case err != nil:
		return false, nil //nolint:nilerr // the one who asked failed: that may have been its own fault
	}
	t.serveHot(v.(*hotAnswer).text) //nolint:forcetypeassert // this package alone puts it there
	return true, nil
}

// fillAside has an answer made that everybody may get, where the turn's own depends on
// the dialog before it; false: the turn's own will do.
func (t *Turn) fillAside(key string) bool {
	if t.byText() || t.pieces == nil && t.hold != nil && t.hold.Fresh() {
		return false
	}
	c := t.chat.hot
	if _, busy := c.filling.LoadOrStore(key, true); !busy {
		t.chat.Background.Go(func() {
			defer c.filling.Delete(key)
			t.refresh(key)
		})
	}
	return true
}

// cached answers a hot question if its answer is in memory.
func (t *Turn) cached(key string) bool {
	c := t.chat.hot
	a, ok := c.answers.GetIfPresent(key)
	if !ok || !time.Now().Before(a.fresh.Add(t.set.CacheHot.D())) {
		return false
	}
	if time.Now().After(a.fresh) {
		c.stale.Add(1)
		if a.refreshing.CompareAndSwap(false, true) {
			t.chat.Background.Go(func() {
				defer a.refreshing.Store(false)
				t.refresh(key)
			})
		}
	}
	c.hits.Add(1)
	t.serveHot(a.text)
	return true
}

func (t *Turn) serveHot(text string) {
	t.ans.text, t.ans.source, t.ans.tier = text, "cache", degrade.LLM
	if t.set.CacheReach == reachLossy && t.hold != nil {
		t.dialogID = t.hold.ID() // the article writes no history here
		t.dropped, t.hold = t.hold, nil
	}
}

func (t *Turn) keepHot(key, text string) *hotAnswer {
	life := time.Duration((0.9 + 0.2*rand.Float64()) * float64(t.set.CacheHot.D()))
	a := &hotAnswer{text: dialog.ReadWords(text).Said, fresh: time.Now().Add(life)}
	t.chat.hot.answers.Set(key, a)
	return a
}

// refresh asks the model for an answer to the question alone, where there is none or
// it has become stale.
func (t *Turn) refresh(key string) {
	defer func() {
		if v := recover(); v != nil { // costs the old answer, not the process
			t.chat.Log.Error("panic", "trace_id", t.tr.ID, "value", v, "stack", string(debug.Stack()))
		}
	}()
	if t.chat.Watch.At().Tier != degrade.LLM || t.chat.Draining() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.set.LLMTimeout.D())
	defer cancel()
	text, _, err := t.caller().Call(ctx, time.Time{}, t.chat.Model.Body(promptOf(t.words.Said, nil, t.set)), t.tr)
	if err == nil {
		t.keepHot(key, text)
	}
}
