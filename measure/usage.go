package measure

import "time"

// Usage is what turns cost a model, as its answers tell. A turn has several answers
// where tools were called. Usages add up; the zero value is none.
type Usage struct {
	// Answers are those of the model, Told those among them that tell their tokens. Calls
	// is how many functions were called and answered.
	Answers, Told, Calls int64
	// Input and Output are tokens; Cached are those of Input that the model knew, and
	// Reasoning those of Output that it only thought, as CachedTold and ReasoningTold
	// answers tell.
	Input, Cached, Output, Reasoning int64
	CachedTold, ReasoningTold        int64
	// Turns is how many had an answer of a model, TurnsTold those all of whose answers
	// tell their tokens, and TurnInput and TurnOutput the tokens of these. Record counts
	// them.
	Turns, TurnsTold, TurnInput, TurnOutput int64
}

// mostTokens is what is believed of a run: so far below 2^63 that sums do not overflow.
const mostTokens = 1 << 56

func (u *Usage) fields() [13]*int64 {
	return [...]*int64{
		&u.Answers, &u.Told, &u.Calls, &u.Input, &u.Cached, &u.Output, &u.Reasoning, &u.CachedTold, &u.ReasoningTold,
		&u.Turns, &u.TurnsTold, &u.TurnInput, &u.TurnOutput,
	}
}

func (u *Usage) add(o *Usage) {
	from := o.fields()
	for i, to := range u.fields() {
		*to = saturating(*to, *from[i])
	}
}

// record adds that of one turn.
func (u *Usage) record(o *Usage) {
	if o.Answers == 0 {
		return
	}
	one := *o
	one.Turns = 1
	if o.Told == o.Answers {
		one.TurnsTold, one.TurnInput, one.TurnOutput = 1, o.Input, o.Output
	}
	u.add(&one)
}

func (u *Usage) appendTo(b []byte) []byte {
	var list [13]int64
	for i, v := range u.fields() {
		list[i] = *v
	}
	return appendSparse(b, list[:])
}

func (d *decoder) usage(u *Usage) {
	var list [13]int64
	decodeSparse(d, list[:], mostTokens)
	for i, to := range u.fields() {
		*to = list[i]
	}
	if u.Told > u.Answers || u.TurnsTold > u.Turns || u.Cached > u.Input || u.Reasoning > u.Output || u.TurnInput > u.Input || u.TurnOutput > u.Output {
		d.fail()
	}
}

// perToken is how long an output token of the turn took, of streams that tell their
// tokens.
func (t *Turn) perToken() (time.Duration, bool) {
	if t.Spelled <= 0 {
		return 0, false
	}
	return max(t.Spell, 0) / time.Duration(t.Spelled), true
}
