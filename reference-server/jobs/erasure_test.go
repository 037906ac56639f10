package jobs

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
)

// A job that comes for a dialog that was erased is not there, and one that comes for
// another is.
func TestAJobDoesNotOutliveItsDialog(t *testing.T) {
	q, m, _ := testQueue(t, echo)
	gone, other := testJob(1), testJob(2)
	store := dialog.NewStore(q.redis.(*redis.Client), dialog.StoreOptions{Timeout: 2 * time.Second, Pool: 2, RoundTrips: 2})
	if err := store.Erase(t.Context(), gone.DialogID); err != nil {
		t.Fatal(err)
	}
	gone.Text = "紫色的伞"
	if err := q.Submit(t.Context(), gone); !errors.Is(err, dialog.ErrErased) {
		t.Errorf("%v, want ErrErased", err)
	}
	submit(t, q, other)
	if n := q.Length(t.Context()); n != 1 || strings.Contains(m.Dump(), "紫色的伞") {
		t.Errorf("%d on the stream; %s", n, m.Dump())
	}
	if s, err := q.Status(t.Context(), gone.ID); err != nil || s.State != Cancelled {
		t.Errorf("%+v %v, want cancelled", s, err)
	}
}
