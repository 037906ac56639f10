package sla

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

func equal(a, b Result) bool { return reflect.DeepEqual(a, b) }

// oracleCase is what verdict.py is given of an objective: fields of result.json.
type oracleCase struct {
	Kind       string  `json:"kind"`
	Target     float64 `json:"target"`
	N          int64   `json:"n"`
	Bad        int64   `json:"bad"`
	DEFF       float64 `json:"deff"`
	Confidence float64 `json:"confidence"`
	Gate       string  `json:"gate"`
}

type oracleAnswer struct {
	Verdict string  `json:"verdict"`
	Lower   float64 `json:"lower"`
	Upper   float64 `json:"upper"`
}

// A second implementation, in another language and by another method, comes to
// the same verdicts and bounds.
func TestVerdictAgainstAnotherImplementation(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	cases := oracleCases()
	in, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "testdata/verdict.py")
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("verdict.py: %v", err)
	}
	var answers []oracleAnswer
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(cases) {
		t.Fatalf("%d answers to %d cases: %v", len(answers), len(cases), err)
	}
	seen := map[string]int{}
	for i, c := range cases {
		r := Judged{N: c.N, Bad: c.Bad, Target: c.Target}
		j := &judge{confidence: c.Confidence, measured: c.Gate == "measured"}
		switch {
		case c.Kind == "seconds":
			r.Verdict = Pass
			if float64(c.Bad) > c.Target {
				r.Verdict = Fail
			}
		case c.N == 0:
			r.Verdict = Inconclusive
		default:
			j.infer(&r, c.DEFF)
		}
		want := answers[i]
		if r.Verdict.String() != want.Verdict {
			t.Errorf("%+v: %v, the other says %s [%v, %v]", c, r.Verdict, want.Verdict, want.Lower, want.Upper)
		}
		if c.Kind == "share" && c.N > 0 && (abs(r.Lower-want.Lower) > 1e-6 || abs(r.Upper-want.Upper) > 1e-6) {
			t.Errorf("%+v: [%v, %v], the other says [%v, %v]", c, r.Lower, r.Upper, want.Lower, want.Upper)
		}
		seen[want.Verdict]++
	}
	if seen["pass"] < 10 || seen["fail"] < 10 || seen["inconclusive"] < 10 {
		t.Errorf("the cases are too much alike: %v", seen)
	}
}

func oracleCases() (list []oracleCase) {
	share := func(n, bad int64, target, deff float64, gate string) {
		list = append(list, oracleCase{"share", target, n, bad, deff, 0.95, gate})
	}
	for _, band := range [][3]int64{{299, 0, 7}, {1000, 4, 16}, {10_000, 83, 118}} {
		for _, bad := range []int64{band[1], band[1] + 1, band[2] - 1, band[2]} {
			share(band[0], bad, 0.99, 1, "inference")
		}
	}
	share(0, 0, 0.99, 1, "inference")
	share(100, 0, 1, 1, "inference")
	share(100, 1, 1, 1, "inference")
	share(100, 1, 0.99, 1, "measured")
	share(100, 2, 0.99, 1, "measured")
	rng := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		n := 1 + rng.Int64N(2000)
		target := []float64{0.9, 0.95, 0.99, 0.999}[rng.IntN(4)]
		bad := min(n, int64(rng.Float64()*2.5*(1-target)*float64(n)))
		share(n, bad, target, []float64{1, 1, 2.5, 3}[rng.IntN(4)], "inference")
	}
	for _, x := range [][2]int64{{36, 36}, {37, 36}, {0, 0}, {1, 0}} {
		list = append(list, oracleCase{Kind: "seconds", Bad: x[0], Target: float64(x[1]), N: 3600})
	}
	return list
}

func abs(v float64) float64 { return max(v, -v) }
