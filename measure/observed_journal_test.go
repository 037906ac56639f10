package measure

import (
	"bytes"
	"reflect"
	"testing"
)

func seenOf(name string, asked int64, values ...ObservedSecond) Observed {
	return Observed{Name: name, Unit: "%", Asked: asked, Values: values}
}

// What was seen of other systems is in a journal whose run was killed; facts that
// were written are the whole of it.
func TestJournalKeepsWhatWasSeen(t *testing.T) {
	plan := testPlan()
	write := func(facts *Facts, told ...[]Observed) *Recovered {
		t.Helper()
		m := new(memory)
		j, err := NewJournal(m, testRun, plan)
		if err != nil {
			t.Fatal(err)
		}
		for _, news := range told {
			if err := j.AppendObserved(news); err != nil {
				t.Fatal(err)
			}
		}
		if facts != nil {
			if err := j.AppendFacts(facts); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Abandon(); err != nil {
			t.Fatal(err)
		}
		got, err := ReadJournal(bytes.NewReader(m.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := []Observed{seenOf("cpu", 1, ObservedSecond{0, 20}), seenOf("pool", 1)}
	second := []Observed{seenOf("cpu", 3, ObservedSecond{1, 30}, ObservedSecond{2, 40})}
	want := []Observed{seenOf("cpu", 3, ObservedSecond{0, 20}, ObservedSecond{1, 30}, ObservedSecond{2, 40}), seenOf("pool", 1)}
	if got := write(nil, first, nil, second); !reflect.DeepEqual(got.Facts.Observed, want) || len(got.Gaps) != 0 {
		t.Errorf("%+v, %d gaps, want %+v", got.Facts.Observed, len(got.Gaps), want)
	}
	whole := []Observed{seenOf("cpu", 4, ObservedSecond{0, 20})}
	if got := write(&Facts{Observed: whole}, first, second); !reflect.DeepEqual(got.Facts.Observed, whole) {
		t.Errorf("%+v, want what the facts say", got.Facts.Observed)
	}
	// A second told twice is damage, and not counted twice.
	got := write(nil, first, first)
	if len(got.Gaps) != 1 || len(got.Facts.Observed[0].Values) != 1 {
		t.Errorf("%d gaps, %+v", len(got.Gaps), got.Facts.Observed)
	}
	many := make([]Observed, mostObserved+1)
	for i := range many {
		many[i] = seenOf(string(rune('一'+i)), 1)
	}
	if got := write(nil, many); len(got.Gaps) != 1 || len(got.Facts.Observed) != mostObserved {
		t.Errorf("%d gaps, %d figures", len(got.Gaps), len(got.Facts.Observed))
	}
}
