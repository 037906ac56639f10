package load

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// A turn with conditions is said where they hold of the answer before, and where they
// do not the next one is; after a turn that was not answered none is.
func TestTurnsAreSaidWhenTheAnswerAsksForThem(t *testing.T) {
	asks := func(what string) scenario.Conditions {
		return scenario.Conditions{{Path: "body:text", Matches: what}}
	}
	for name, c := range map[string]struct {
		answer string
		status int
		want   []string
		end    measure.ConversationEnd
	}{
		"one branch": {"请提供订单号", 200, []string{"退货", "号 1", "谢谢"}, measure.Complete},
		"the other":  {"请稍候,转人工", 200, []string{"退货", "好", "谢谢"}, measure.Complete},
		"both":       {"订单号?或转人工", 200, []string{"退货", "号 1", "好", "谢谢"}, measure.Complete},
		"neither":    {"好的", 200, []string{"退货", "谢谢"}, measure.Complete},
		"no answer":  {"请提供订单号", 500, []string{"退货", "谢谢"}, measure.Broken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sc := open(1, time.Second,
					scenario.Turn{Say: "退货"}, scenario.Turn{Say: "号 1", When: asks("订单号")},
					scenario.Turn{Say: "好", When: asks("转人工")}, scenario.Turn{Say: "谢谢"}, scenario.Turn{Say: "还在吗", When: asks("never")})
				f := newFake()
				f.answer = func(_ time.Duration, _ *driver.User, turn *driver.Turn, reply *driver.Reply) time.Duration {
					reply.Answer = []byte(c.answer)
					if turn.Index == 0 {
						reply.Status = c.status
					}
					return 100 * time.Millisecond
				}
				b, _ := drive(t, always(), sc, f, nil)
				var said []string
				for _, s := range f.sent {
					said = append(said, s.text)
				}
				if !slices.Equal(said, c.want) || b.ends[c.end] != 1 {
					t.Errorf("said %q, want %q; ends %v", said, c.want, b.ends)
				}
			})
		})
	}
}
