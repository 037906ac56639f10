package load

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// Script is a scenario made ready to be performed: texts parsed, expressions
// compiled, data indexed. It is read-only and safe for concurrent use.
type Script struct {
	seed          uint64
	run           runKey
	conversations []outline
	weights       []float64 // cumulative
	sources       []source
	rules         Rules
	memory        bool
	history       bool     // the client keeps the dialog
	namesDialog   bool     // answers name their dialog
	idsOut        bool     // the target's templates use ${conversation.id}
	columnsOut    bool     // the target's templates use data columns
	sent          []string // the variables in them
	keepsDialogs  bool     // a dialog of the target's has an id, which cstest knows
	pacing        time.Duration
	patience      *think // how long a customer waits for an answer; nil: for ever
}

// outline is a conversation of the scenario, before anybody holds it.
type outline struct {
	name    string
	slot    int // of its first turn, in Plan.Slots
	turns   []message
	onError scenario.OnError
}

// message is what a user says in a turn of it.
type message struct {
	say    text
	parts  []part
	think  *think
	expect *Expectation
	when   *driver.When // nil: always said
	forged *forged      // nil: as its user's own
}

// source is a data table.
type source struct {
	name    string
	keys    []string // "orders.phone", parallel to columns
	columns []string
	table   [][]string
	pick    scenario.Pick
}

// maxRetries is how often `on_error: retry` sends the same message again.
const maxRetries = 2

// NewScript makes sc ready for the run of that id.
func NewScript(sc *scenario.Scenario, seed uint64, runID string) (*Script, error) {
	if len(sc.Conversations) == 0 {
		return nil, errors.New("conversations: there is none: write at least one")
	}
	s := &Script{
		seed:    seed,
		run:     newRunKey(runID),
		memory:  sc.Checks.Memory == "on",
		history: sc.Target.API == scenario.APIOpenAI && !sc.Target.OpenAI.Chained() || slices.Contains(sc.Target.Variables(), "history"),
		pacing:  time.Duration(sc.Load.Pacing),

		patience: newThink(sc.Load.Patience),
	}
	s.keepsDialogs = sc.Target.API != scenario.APICustom
	if response := sc.Target.Response; response != nil {
		s.namesDialog = response.DialogID != ""
		s.keepsDialogs = s.namesDialog
	}
	if err := s.readData(sc); err != nil {
		return nil, err
	}
	slot, sum := 0, 0.0
	for i := range sc.Conversations {
		from := &sc.Conversations[i]
		d, err := s.outline(from, sc)
		if err != nil {
			return nil, fmt.Errorf("conversations[%d] %s: %w", i, from.Name, err)
		}
		d.slot = slot
		slot += len(d.turns)
		s.conversations = append(s.conversations, d)
		sum += max(from.Weight, 0)
		s.weights = append(s.weights, sum)
	}
	if sum == 0 { // nobody wrote a weight: all alike
		for i := range s.weights {
			s.weights[i] = float64(i + 1)
		}
	}
	rules, err := NewRules(sc)
	if err != nil {
		return nil, err
	}
	s.rules = rules
	return s, nil
}

// Slots are the turns of the scenario's conversations in the order in which
// measure.Turn.Slot counts them. Say is cut to 60 characters.
func Slots(sc *scenario.Scenario) []measure.Slot {
	var slots []measure.Slot
	for i := range sc.Conversations {
		for j, turn := range sc.Conversations[i].Turns {
			slots = append(slots, measure.Slot{
				Conversation: sc.Conversations[i].Name, Index: j, Say: shorten(turn.Say, 60),
				Checked: turn.Expect.OfAnswer(), ToRefuse: turn.Expect.ToRefuse(),
			})
		}
	}
	return slots
}

func shorten(s string, runes int) string {
	for i := range s {
		if runes == 0 {
			return s[:i] + "…"
		}
		runes--
	}
	return s
}

func (s *Script) outline(from *scenario.Conversation, sc *scenario.Scenario) (outline, error) {
	d := outline{name: from.Name, onError: from.OnError}
	if len(from.Turns) == 0 {
		return d, errors.New("turns: there is none: write at least one")
	}
	switch from.OnError {
	case "", scenario.OnErrorContinue, scenario.OnErrorRetry, scenario.OnErrorAbort:
	default:
		return d, fmt.Errorf("on_error: %q: write continue, retry or abort", from.OnError)
	}
	for i := range from.Turns {
		t := &from.Turns[i]
		say, err := s.parseText(t.Say)
		if err != nil {
			return d, fmt.Errorf("turns[%d].say: %w", i, err)
		}
		m := message{say: say, think: newThink(t.Think, from.Think, sc.Load.Think)}
		for k := range t.Parts {
			p, err := s.newPart(&t.Parts[k], sc)
			if err != nil {
				return d, fmt.Errorf("turns[%d].parts[%d]: %w", i, k, err)
			}
			m.parts = append(m.parts, p)
		}
		if len(t.When) > 0 {
			if m.when, err = driver.NewWhen(t.When); err != nil {
				return d, fmt.Errorf("turns[%d].when: %w", i, err)
			}
		}
		if t.Expect != nil {
			if m.expect, err = newExpectation(t.Expect); err != nil {
				return d, fmt.Errorf("turns[%d].expect: %w", i, err)
			}
		}
		m.forged = newForged(t.Forge)
		d.turns = append(d.turns, m)
	}
	return d, nil
}

func (s *Script) readData(sc *scenario.Scenario) error {
	sent := sc.Target.Variables()
	s.sent = sent
	s.idsOut = slices.Contains(sent, "conversation.id")
	for _, name := range slices.Sorted(maps.Keys(sc.Data)) {
		data := sc.Data[name]
		if len(data.Table) == 0 {
			return fmt.Errorf("data.%s: has no rows", name)
		}
		src := source{name: name, columns: data.Columns, table: data.Table, pick: data.Pick}
		for i, row := range data.Table {
			if len(row) < len(data.Columns) {
				return fmt.Errorf("data.%s: row %d has %d of %d columns", name, i+1, len(row), len(data.Columns))
			}
		}
		for _, c := range data.Columns {
			src.keys = append(src.keys, name+"."+c)
		}
		s.sources = append(s.sources, src)
		if slices.ContainsFunc(sent, func(variable string) bool { return strings.HasPrefix(variable, name+".") }) {
			s.columnsOut = true
		}
	}
	return nil
}

// choose gives the outline of conversation k, by weight.
func (s *Script) choose(k int64) *outline {
	if len(s.conversations) == 1 {
		return &s.conversations[0]
	}
	x := unitOpen(draw(s.seed, k, forChoice)) * s.weights[len(s.weights)-1]
	for i, w := range s.weights {
		if x < w {
			return &s.conversations[i]
		}
	}
	return &s.conversations[len(s.conversations)-1]
}

// row gives conversation k of user n its row of a table. Unique rows go by the
// user, who in the open model is the conversation; sequential ones by the
// conversation: so every shard knows its own. Both begin anew when the table is
// shorter than the plan.
func (s *Script) row(source int, k, n int64) int {
	src := &s.sources[source]
	switch src.pick {
	case scenario.PickRandom:
		return below(mix(draw(s.seed, k, forRow)+uint64(source)*golden), len(src.table))
	case scenario.PickUnique:
		return int(n % int64(len(src.table)))
	case scenario.PickSequential:
	}
	return int(k % int64(len(src.table)))
}

// Expectation is a compiled `expect` of a turn.
type Expectation struct {
	contains, notContains []byte
	matches               *regexp.Regexp
	refused               []int // statuses, of which one must come instead of an answer
}

func newExpectation(e *scenario.Expect) (*Expectation, error) {
	x := &Expectation{contains: []byte(e.Contains), notContains: []byte(e.NotContains), refused: e.Refused}
	if e.Matches != "" {
		re, err := regexp.Compile(e.Matches)
		if err != nil {
			return nil, fmt.Errorf("matches: %w", err)
		}
		x.matches = re
	}
	return x, nil
}
