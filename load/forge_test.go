package load

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cstest/cstest/scenario"
)

// Another user has nothing in common with the one whose dialog it is in anything that
// is sent; where data has no such row, or there is no dialog, the turn is left out.
func TestAnotherUser(t *testing.T) {
	sc := &scenario.Scenario{
		Target: scenario.Target{URL: "http://x", API: "custom", Auth: &scenario.Auth{Bearer: "${people.token}"}, Response: &scenario.Response{DialogID: "d"}},
		Conversations: []scenario.Conversation{{Name: "c", Weight: 1, Turns: []scenario.Turn{
			{Say: "a"}, {Say: "b", Forge: &scenario.Forge{Token: scenario.TokenAnotherUser}, Expect: &scenario.Expect{Refused: []int{403}}},
		}}},
		Data: map[string]scenario.Data{"people": {Columns: []string{"token", "order"}, Table: [][]string{{"A", "1"}, {"B", "2"}, {"B", "3"}}, Pick: scenario.PickSequential}},
	}
	s, err := NewScript(sc, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[int64]string{0: "B", 1: "A", 2: "A"} {
		var c conversation
		c.identify(k)
		c.begin(k, s)
		c.turn = 1
		if c.possible(s) {
			t.Errorf("conversation %d: possible before there is a dialog", k)
		}
		c.kept, c.id = append(c.kept, true), append(c.id, "d1"...)
		u := c.another(s)
		if !c.possible(s) || u == nil || u.Vars["people.token"] != want || u.ID == c.user.ID {
			t.Errorf("conversation %d of %s: %+v, want token %s", k, c.user.ID, u, want)
		}
		if c.id = c.id[:0]; c.possible(s) {
			t.Errorf("conversation %d: possible in a dialog that nobody named", k)
		}
	}
	sc.Data["people"] = scenario.Data{Columns: []string{"token"}, Table: [][]string{{"A"}, {"A"}}}
	if s, err = NewScript(sc, 1, ""); err != nil {
		t.Fatal(err)
	}
	var c conversation
	c.begin(0, s)
	c.turn, c.kept, c.id = 1, []bool{true}, []byte("d1")
	if c.possible(s) {
		t.Error("two rows of one account are taken for two users")
	}
}

func TestLengthen(t *testing.T) {
	for _, tt := range []struct {
		say  string
		size int
	}{{"你好", 100}, {"你好", 0}, {"abc", 2}, {"x", 9000}} {
		st := scratch{text: []byte(tt.say)}
		st.lengthen(tt.size)
		if n := len(st.text); n < min(max(tt.size-2, len(tt.say)), n) || n > max(tt.size, len(tt.say)) || n < tt.size-2 || !utf8.Valid(st.text) || !strings.HasPrefix(string(st.text), tt.say) {
			t.Errorf("%q to %d: %d bytes", tt.say, tt.size, n)
		}
	}
}
