package load

import (
	"context"
	"time"

	"github.com/cstest/cstest/driver"
)

// Step is one turn of a conversation shown to a person. The slices are valid
// during the call only.
type Step struct {
	Conversation string
	Number       int // the turn, from 1
	Of           int // turns of the conversation
	Turn         *driver.Turn
	Reply        *driver.Reply
	Judgement    Judgement
}

// OneConversation holds conversation k alone, turn by turn, the way a load
// does, and shows every turn; pauses are cut to the longest given. It ends early
// when ctx is done, when show answers false or on_error says so. Of the options
// it uses the scenario, the seed, the run id and the driver.
func OneConversation(ctx context.Context, o Options, k int64, longest time.Duration, show func(*Step) bool) error {
	script, err := NewScript(o.Scenario, o.Seed, o.RunID)
	if err != nil {
		return err
	}
	var c conversation
	var st scratch
	c.identify(k)
	c.begin(k, script)
	c.channel = o.Driver.Open(&c.user)
	defer c.channel.Close()
	stop := context.AfterFunc(ctx, o.Driver.Interrupt)
	defer stop()
	for ctx.Err() == nil {
		st.ask(&c, script)
		c.channel.Do(&st.turn, &st.reply)
		j := Classify(&st.reply, &st.asked, &script.rules)
		step := Step{
			Conversation: c.outline.name, Number: c.turn + 1, Of: len(c.outline.turns),
			Turn: &st.turn, Reply: &st.reply, Judgement: j,
		}
		goOn := show(&step)
		more, pause := c.heard(&st, &j, script)
		c.channel.Free(&st.reply)
		if !more || !goOn {
			return nil
		}
		select {
		case <-time.After(min(pause, longest)):
		case <-ctx.Done():
		}
	}
	return context.Cause(ctx)
}
