package facts

import (
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// Got is one of the things that users got.
type Got struct {
	Class, Name string
	N           int64
	Bad         bool
}

// WhatUsersGot are what users got, best first; their sum is t.All.
func WhatUsersGot(t result.Tiers, w *words.Words) []Got {
	rows := []Got{
		{Class: "llm", N: t.LLM},
		{Class: "faq", N: t.FAQ},
		{Class: "handoff", N: t.Handoff},
		{Class: "static", N: t.Static},
		{Class: "unknown", N: t.Unknown},
		{Class: "wrong", N: t.Wrong, Bad: true},
		{Class: "nobody", N: t.Nobody, Bad: true},
	}
	for i := range rows {
		rows[i].Name = w.Word(rows[i].Class)
	}
	return rows
}
