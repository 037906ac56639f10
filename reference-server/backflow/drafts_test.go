package backflow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Questions that many ask, and that the model answers alike, are put up for review;
// what is accepted is in the FAQ of every server, what is rejected comes no more.
func TestDraftsAreReviewed(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		var mu sync.Mutex
		shelves := map[string][]Entry{}
		server := func(name string) *Flow {
			return newFlow(rdb, func(o *Options) {
				o.Accept = func(list []Entry) { mu.Lock(); defer mu.Unlock(); shelves[name] = list }
			})
		}
		a, b := server("a"), server("b")
		answers := map[string][]string{
			"怎么改绑手机":   {"在设置的账号安全里可以换绑手机号。", "在设置的账号安全里可以换绑手机号码。", "在设置的账号安全中可以换绑手机号。"},
			"这个能寄到国外吗": {"可以寄到部分国家。", "抱歉,暂时不支持海外配送。", "请联系客服确认地区。"},
			"只有一个人问":   {"一个回答。"},
		}
		n := 0
		for text, list := range answers {
			for i := range list {
				q := question(n, n)
				q.Text, q.UID, q.Alone = text, fmt.Sprintf("user %d", i), true
				a.outbox.put(q)
				n++
			}
		}
		if _, err := a.write(t.Context()); err != nil {
			t.Fatal(err)
		}
		given := map[string]int{}
		replay := func(_ context.Context, q Question) Result {
			mu.Lock()
			defer mu.Unlock()
			given[q.Text]++
			return Result{End: Replayed, Draft: answers[q.Text][given[q.Text]-1], Key: q.Text}
		}
		run(t, a, replay)
		run(t, b, replay)
		waitFor(t, "all are replayed", func() bool { return state(t, a).Ends[Replayed] == 7 })
		list, err := b.Drafts(t.Context())
		if err != nil || len(list) != 3 {
			t.Fatalf("%d drafts, %v, want 3", len(list), err)
		}
		ready := list[0]
		if !ready.Ready || ready.Question != "怎么改绑手机" || ready.Users != 3 || ready.Agree != 1 {
			t.Errorf("first %+v, want the one that is ready", ready)
		}
		for _, d := range list[1:] {
			if d.Ready {
				t.Errorf("%+v is ready: want neither one user nor answers that differ", d)
			}
		}
		if err := b.Reject(t.Context(), list[1].ID); err != nil {
			t.Error(err)
		}
		if err := b.Reject(t.Context(), list[1].ID); !errors.Is(err, ErrNoDraft) {
			t.Errorf("rejected twice: %v", err)
		}
		e, err := b.Accept(t.Context(), ready.ID, "", "在「设置-账号安全」里换绑。")
		if err != nil || e.Question != ready.Question || e.Answer != "在「设置-账号安全」里换绑。" {
			t.Errorf("accepted %+v, %v", e, err)
		}
		for _, name := range []string{"a", "b"} {
			waitFor(t, "every server knows", func() bool { mu.Lock(); defer mu.Unlock(); return len(shelves[name]) == 1 && shelves[name][0] == e })
		}
		if _, err := a.Accept(t.Context(), ready.ID, "", ""); !errors.Is(err, ErrNoDraft) {
			t.Errorf("accepted twice: %v", err)
		}
		for _, id := range []string{"", "x", "../../etc", "zzzzzzzzzzzzzzzz"} {
			if err := a.Reject(t.Context(), id); !errors.Is(err, ErrNoDraft) {
				t.Errorf("reject %q: %v", id, err)
			}
		}
		// Rejected once, it makes no other draft.
		q := question(99, 99)
		q.Text, q.Alone = list[1].Question, true
		mu.Lock()
		answers[q.Text] = append(answers[q.Text], answers[q.Text]...)
		mu.Unlock()
		a.Record(t.Context(), q)
		waitFor(t, "it is replayed", func() bool { return state(t, a).Ends[Replayed] == 8 })
		if list, _ := a.Drafts(t.Context()); len(list) != 1 {
			t.Errorf("%d drafts, want the one that nobody decided on", len(list))
		}
		if err := a.TakeBack(t.Context(), e.ID); err != nil {
			t.Error(err)
		}
		waitFor(t, "no server has it", func() bool { mu.Lock(); defer mu.Unlock(); return len(shelves["a"])+len(shelves["b"]) == 0 })
		if err := a.TakeBack(t.Context(), e.ID); !errors.Is(err, ErrNoDraft) {
			t.Errorf("taken back twice: %v", err)
		}
	})
}

// What a dialog gave to a draft goes with it.
func TestErasureTakesAnswersOutOfDrafts(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		f := newFlow(rdb, nil)
		run(t, f, func(_ context.Context, q Question) Result {
			return Result{End: Replayed, Draft: "回答 " + q.UID, Key: "同一个问题"}
		})
		one, two := question(1, 1), question(2, 1)
		f.Record(t.Context(), one)
		f.Record(t.Context(), two)
		waitFor(t, "both are replayed", func() bool { return state(t, f).Ends[Replayed] == 2 })
		if err := f.Erase(t.Context(), one.DialogID); err != nil {
			t.Fatal(err)
		}
		list, err := f.Drafts(t.Context())
		if err != nil || len(list) != 1 || list[0].Users != 1 || list[0].Answer != "回答 u2" {
			t.Errorf("%+v, %v, want what is left of the other dialog", list, err)
		}
		if err := f.Erase(t.Context(), two.DialogID); err != nil {
			t.Fatal(err)
		}
		if list, _ := f.Drafts(t.Context()); len(list) != 0 {
			t.Errorf("%+v, want nothing", list)
		}
	})
}

func TestLikeness(t *testing.T) {
	for _, c := range []struct {
		a, b     string
		from, to float64
	}{
		{"", "", 1, 1},
		{"一样", "一样", 1, 1},
		{"啊", "哦", 0, 0},
		{"可以退货", "不能换新", 0, 0},
		{"七天内可以无理由退货", "七天内可以无理由退货的", 0.9, 0.99},
	} {
		if got := likeness(c.a, c.b); got < c.from || got > c.to {
			t.Errorf("likeness of %q and %q is %.2f, want %.2f to %.2f", c.a, c.b, got, c.from, c.to)
		}
		if likeness(c.a, c.b) != likeness(c.b, c.a) {
			t.Errorf("likeness of %q and %q depends on their order", c.a, c.b)
		}
	}
}
