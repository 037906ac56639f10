package load

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/scenario"
)

var uuid8 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// An id is of one conversation of one run.
func TestConversationIDs(t *testing.T) {
	seen := map[string]bool{}
	for _, run := range []string{"", "a", "b"} {
		key := newRunKey(run)
		for k := range int64(20_000) {
			id := string(key.appendConversation(nil, k))
			if !uuid8.MatchString(id) || seen[id] {
				t.Fatalf("run %q, conversation %d: %s", run, k, id)
			}
			seen[id] = true
		}
	}
}

// conversationIDs drives a load whose target and texts name the conversation,
// and gives the ids with the trace of the turn they stood in.
func conversationIDs(t *testing.T, run string, shard, shards int) map[string]string {
	t.Helper()
	ids := map[string]string{}
	synctest.Test(t, func(t *testing.T) {
		sc := bazaar()
		sc.Target.Headers = map[string]string{"x-session": "${conversation.id}"}
		for i := range sc.Conversations {
			sc.Conversations[i].Turns[0].Say = "${run.id} ${conversation.id}"
		}
		f := newFake()
		f.answer = func(at time.Duration, u *driver.User, turn *driver.Turn, r *driver.Reply) time.Duration {
			f.mu.Lock()
			defer f.mu.Unlock()
			id := string(turn.ConversationID)
			ids[string(turn.TurnID)] = id
			if turn.Index == 0 && !strings.HasPrefix(string(turn.Text), run+" "+id+canaryOpen) {
				t.Errorf("says %s, is %s of %s", turn.Text, id, run)
			}
			if first, ok := ids[u.ID]; ok && first != id {
				t.Errorf("user %s: conversation %s, then %s", u.ID, first, id)
			}
			ids[u.ID] = id // in the open model a user is a conversation
			return time.Millisecond
		}
		drive(t, always(), sc, f, func(o *Options) { o.Seed, o.RunID, o.Shard, o.Shards = 5, run, shard, shards })
	})
	return ids
}

func TestConversationIDsOverRunsAndShards(t *testing.T) {
	whole, other := conversationIDs(t, "run-1", 0, 1), conversationIDs(t, "run-2", 0, 1)
	if len(whole) < 400 || len(other) != len(whole) {
		t.Fatalf("%d and %d ids", len(whole), len(other))
	}
	taken := map[string]bool{}
	for turn, id := range whole {
		if !uuid8.MatchString(id) {
			t.Fatalf("%s: id %q", turn, id)
		}
		taken[id] = true
	}
	for turn, id := range other {
		if taken[id] {
			t.Errorf("%s of the next run is %s again", turn, id)
		}
	}
	parts := 0
	for shard := range 3 {
		for turn, id := range conversationIDs(t, "run-1", shard, 3) {
			parts++
			if whole[turn] != id {
				t.Errorf("shard %d: %s is %s, and %s in the whole", shard, turn, id, whole[turn])
			}
		}
	}
	if parts != len(whole) {
		t.Errorf("the shards have %d ids, the whole %d", parts, len(whole))
	}
}

// Whoever asks for no id pays for none, and whoever does allocates nothing.
func TestConversationIDIsSentWhereAsked(t *testing.T) {
	for header, want := range map[string]int{"plain": 0, "${conversation.id}": 36} {
		sc := bazaar()
		sc.Target.Headers = map[string]string{"x-session": header}
		s, err := NewScript(sc, 1, "r")
		if err != nil {
			t.Fatal(err)
		}
		c, st := &conversation{}, &scratch{}
		c.identify(1)
		c.begin(1, s)
		st.ask(c, s)
		if n := len(st.turn.ConversationID); n != want {
			t.Errorf("%s: %d bytes, want %d", header, n, want)
		}
		if n := testing.AllocsPerRun(100, func() { st.ask(c, s) }); n != 0 {
			t.Errorf("%s: %v allocations a turn", header, n)
		}
	}
}

// Every variable that the table lets users say can be said.
func TestEveryVariableIsBound(t *testing.T) {
	s, err := NewScript(bazaar(), 1, "r")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range scenario.Variables() {
		if v.In&scenario.InSay == 0 {
			continue
		}
		name := strings.Replace(v.Name, "TABLE.COLUMN", "orders.no", 1)
		c := &conversation{}
		c.identify(1)
		c.begin(1, s)
		said, err := s.parseText("${" + name + "}")
		if err != nil || len(said.Append(nil, c)) == 0 {
			t.Errorf("${%s}: %v", name, err)
		}
	}
}

// A turn has its id from its run: the next run with the same seed, against the same
// server, must not get this one's answers.
func TestTurnIDsAreTheRunsOwn(t *testing.T) {
	one, two := conversationIDs(t, "run-1", 0, 1), conversationIDs(t, "run-2", 0, 1)
	turns, tag := 0, ""
	for id := range one {
		if len(id) != 32 {
			continue // a user
		}
		turns++
		if tag == "" {
			tag = id[:16]
		}
		if _, again := two[id]; again || id[:16] != tag {
			t.Fatalf("turn id %s: in both runs %v, want the tag %s", id, again, tag)
		}
	}
	if turns < 400 {
		t.Errorf("%d turns", turns)
	}
}
