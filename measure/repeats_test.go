package measure

import (
	"reflect"
	"testing"
)

func TestRepeatsMergeInAnyOrder(t *testing.T) {
	a := &Repeats{Asked: []int64{3, 1}, Answers: []Repeated{{Key: 1, Text: "b", N: 4, Questions: []uint64{1}}, {Key: 2, Text: "c", N: 2, Questions: []uint64{4}, Exempt: true}}}
	b := &Repeats{Asked: []int64{1}, Answers: []Repeated{{Key: 2, Text: "c", N: 9, Questions: []uint64{8}}, {Key: 1, Text: "a", N: 1, Questions: []uint64{2}}}}
	want := &Repeats{Asked: []int64{4, 1}, Answers: []Repeated{{Key: 2, Text: "c", N: 11, Questions: []uint64{12}, Exempt: true}, {Key: 1, Text: "a", N: 5, Questions: []uint64{3}}}}
	for _, got := range []*Repeats{mergeRepeats(a, b), mergeRepeats(b, a)} {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if mergeRepeats(a, nil) != a || mergeRepeats(nil, b) != b || mergeRepeats(nil, nil) != nil {
		t.Error("what one shard did not look for is lost")
	}
	if a.Answers[1].Questions[0] != 4 {
		t.Error("merging changed what it was given")
	}
}
