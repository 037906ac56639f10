package backflow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/wire"
)

const (
	shelfMost  = 200
	shelfEvery = 2 * time.Second // how often each server looks
)

// Entry is a reviewed answer that was accepted while the server ran. It is its
// reviewer's text: it stays when the dialogs it came from are erased.
type Entry struct {
	ID       string `json:"id"`
	Question string `json:"q"`
	Answer   string `json:"a"`
	AtMS     int64  `json:"at"` // Unix, of its acceptance
}

func (e Entry) encode() string {
	return string(wire.JSON(nil).Object("").String("id", e.ID).String("q", e.Question).String("a", e.Answer).Int("at", e.AtMS).EndObject())
}

// Shelf lists the accepted entries, oldest first. The error wraps dialog.ErrState.
func (f *Flow) Shelf(ctx context.Context) ([]Entry, error) {
	stored, err := f.redis.HGetAll(ctx, shelfKey).Result()
	if err != nil {
		return nil, stateError(err)
	}
	list := []Entry{}
	for id, raw := range stored {
		var e Entry
		if json.Unmarshal([]byte(raw), &e) == nil && e.ID == id && isDraftID(id) && e.Question != "" && e.Answer != "" {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.AtMS, b.AtMS), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

const takeBackScript = `
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('INCR', KEYS[2])
return 1`

// TakeBack removes an accepted entry from the FAQ of every server. Errors: ErrNoDraft,
// else wrapping dialog.ErrState.
func (f *Flow) TakeBack(ctx context.Context, id string) error {
	n, err := f.scripts.takeBack.Run(ctx, f.redis, []string{shelfKey, shelfEdit}, id).Int64()
	switch {
	case err != nil:
		return stateError(err)
	case n == 0:
		return ErrNoDraft
	}
	f.metrics.reviews["taken_back"].Inc()
	f.reread(ctx)
	return nil
}

// reading follows the shelf until ctx ends.
func (f *Flow) reading(ctx context.Context) {
	tick := time.NewTicker(shelfEvery)
	defer tick.Stop()
	for {
		f.reread(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// reread tells of the accepted entries if they changed since they were read. Without
// Redis the last known stay.
func (f *Flow) reread(ctx context.Context) {
	if f.accept == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, redisLimit)
	defer cancel()
	edit, err := f.redis.Get(ctx, shelfEdit).Int64()
	if err != nil && !errors.Is(err, redis.Nil) || edit == f.edit && f.editKnown {
		return
	}
	list, err := f.Shelf(ctx)
	if err != nil {
		return
	}
	if len(list) > 0 || f.editKnown {
		f.accept(list)
	}
	f.edit, f.editKnown = edit, true
}
