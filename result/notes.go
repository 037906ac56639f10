package result

import (
	"slices"

	"github.com/cstest/cstest/reason"
)

// Differences lists in what the questions, or the targets, of two runs differ; the
// seed is no part of either. Where the scenarios could be read it is their values,
// else what results tell; of the target it is always what results tell.
func Differences(a, b Run) reason.Reasons {
	asked := AskedDifferently(a.Doc, b.Doc)
	if a.Values != nil && b.Values != nil {
		asked = ValuesDiffer(a.Values, b.Values, "seed", "description", "target.bundled.", "target.url", "target.api", "target.http", "target.mode", "target.connections")
		if a.Doc.Scenario.Scale != b.Doc.Scenario.Scale {
			asked = append(asked, AskedDifferently(a.Doc, b.Doc)...)
		}
	}
	return append(asked, TargetDiffers(a.Doc, b.Doc)...)
}

// notes lists all in which two sides differ, and then what differs within one, of
// which no difference between them can be told apart.
func notes(a, b []Run) reason.Reasons {
	between := append(Differences(a[0], b[0]), SurroundingsDiffer(a[0].Doc, b[0].Doc)...)
	return slices.Concat(between, unlike("baseline", a), unlike("candidate", b))
}

// AllDifferences lists in what two runs and their surroundings differ, but for the
// seed.
func AllDifferences(a, b Run) (out reason.Reasons) {
	for _, d := range append(Differences(a, b), SurroundingsDiffer(a.Doc, b.Doc)...) {
		if d.Code != reason.Differs || d.Args[0] != reason.Word("seed") {
			out = append(out, d)
		}
	}
	return out
}

// unlike says in what the runs of one side differ from its first.
func unlike(side reason.Word, runs []Run) (out reason.Reasons) {
	for _, r := range runs[1:] {
		for _, d := range AllDifferences(runs[0], r) {
			n := reason.New(reason.SideDiffers, side, d)
			if !slices.ContainsFunc(out, func(x reason.Reason) bool { return reason.Compare(x, n) == 0 }) {
				out = append(out, n)
			}
		}
	}
	return out
}
