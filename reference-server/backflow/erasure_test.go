package backflow

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
)

func storeOn(rdb *redis.Client, erased func(dialog.Erasures)) *dialog.Store {
	return dialog.NewStore(rdb, dialog.StoreOptions{Timeout: 2 * time.Second, Pool: 10, RoundTrips: 2, Erased: erased})
}

// A question that is written behind the erasure of its dialog is taken back, and
// counted; others of the same batch stay.
func TestAQuestionDoesNotOutliveItsDialog(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		f := newFlow(rdb, nil)
		for d := range 3 {
			f.outbox.put(question(d, 1))
			f.outbox.put(question(d, 2))
		}
		gone := question(1, 0).DialogID
		if err := storeOn(rdb, nil).Erase(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		if n, err := f.write(t.Context()); n != 6 || err != nil {
			t.Fatalf("%d written, %v", n, err)
		}
		s := state(t, f)
		if s.In != 6 || s.Ends[Erased] != 2 || s.Waiting != 4 || s.Outbox != 0 {
			t.Errorf("%+v, want two of six erased", s)
		}
		if n := rdb.Exists(t.Context(), indexKey(gone)).Val(); n != 0 {
			t.Error("its index is left")
		}
	})
}

// What waited here while Redis could not be written is not written when its dialog was
// erased meanwhile, however long ago.
func TestTheOutboxHearsOfOldErasures(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		var f *Flow
		here := storeOn(rdb, func(list dialog.Erasures) { f.Forget(list) })
		f = newFlow(rdb, func(o *Options) { o.CatchUp = here.CatchUp })
		f.outbox.put(question(1, 1))
		f.outbox.put(question(2, 1))
		rdb.Set(t.Context(), streamKey, "x", 0) // nothing can be written
		if _, err := f.write(t.Context()); err == nil {
			t.Fatal("written")
		}
		rdb.Del(t.Context(), streamKey)
		gone := question(1, 0).DialogID
		if err := storeOn(rdb, nil).Erase(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		rdb.Del(t.Context(), dialog.ListKey(gone), countsKey, indexKey(gone), indexKey(question(2, 1).DialogID)) // its time is over
		if n, err := f.write(t.Context()); n != 1 || err != nil {
			t.Fatalf("%d written, %v; want one", n, err)
		}
		if s := state(t, f); s.In != 1 || s.Waiting != 1 {
			t.Errorf("%+v, want the other one", s)
		}
	})
}
