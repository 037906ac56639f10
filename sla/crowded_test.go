package sla

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// A machine is crowded where all three are so: it is busy, something waits, and
// others have a part; the hypervisor alone is enough.
func TestCrowdedAndRobbed(t *testing.T) {
	for _, c := range []struct {
		name            string
		of              measure.HostSecond
		cores           int
		crowded, robbed bool
	}{
		{"at the limits", measure.HostSecond{Busy: 0.9, Pressure: 0.2, Others: 0.2 * 4}, 4, true, false},
		{"not busy", measure.HostSecond{Busy: 0.89, Pressure: 1, Others: 4}, 4, false, false},
		{"nothing waits", measure.HostSecond{Busy: 1, Pressure: 0.19, Others: 4}, 4, false, false},
		{"others have less", measure.HostSecond{Busy: 1, Pressure: 1, Others: 0.79}, 4, false, false},
		{"others have as much of fewer", measure.HostSecond{Busy: 1, Pressure: 1, Others: 0.79}, 3, true, false},
		{"robbed at the limit", measure.HostSecond{Steal: 0.1}, 4, false, true},
		{"hardly robbed", measure.HostSecond{Steal: 0.099}, 4, false, false},
	} {
		if crowd, rob := crowded(c.of, c.cores), robbed(c.of); crowd != c.crowded || rob != c.robbed {
			t.Errorf("%s: crowded %v, robbed %v", c.name, crowd, rob)
		}
	}
}

// Seconds without turns starve nobody, nor do those that were not recorded; the
// warning is of all that the machine told, with the mean of each second's figures.
func TestWhatStarvedSecondsAreTold(t *testing.T) {
	full := func(second int, others float64) measure.HostSecond {
		return measure.HostSecond{Second: second, Busy: 1, Pressure: others / 4, Others: others}
	}
	for _, c := range []struct {
		name    string
		seconds []measure.HostSecond
		names   []string
		starved []int
		says    []string
	}{
		{"none", []measure.HostSecond{{Second: 1}}, nil, nil, nil},
		{"one", []measure.HostSecond{{Second: 0}, full(1, 2)}, nil, []int{1}, []string{"in 1 of 2 seconds this machine's 4 processors did not suffice: processes without a part in the run used 2 of them, and for 50 % of the time"}},
		{"one without a turn", []measure.HostSecond{full(2, 2)}, nil, nil, []string{"in 1 of 1 seconds this machine's 4 processors did not suffice"}},
		{"one after the plan", []measure.HostSecond{full(99, 2)}, nil, nil, []string{"in 1 of 1 seconds this machine's 4 processors did not suffice"}},
		{"two, of two programs", []measure.HostSecond{full(1, 1), full(3, 3)}, []string{"cc1", "ld"}, []int{1, 3}, []string{"(cc1, ld) used 2 of them"}},
		{"robbed", []measure.HostSecond{{Second: 1, Steal: 0.2}, {Second: 3, Steal: 0.4}}, nil, []int{1, 3}, []string{"in 2 of 2 seconds the hypervisor took processors from this machine, 30 % of their time"}},
		{"one of each", []measure.HostSecond{full(1, 2), {Second: 3, Steal: 0.4}}, nil, []int{1, 3}, []string{"in 1 of 2 seconds this machine", "in 1 of 2 seconds the hypervisor took processors from this machine, 40 % of their time"}},
	} {
		b := newBench(t, scenario.SLA{}, judged(10*time.Second))
		b.turns(1, 1, nil)
		b.turns(3, 1, nil)
		b.facts.Host = &measure.Host{Cores: 4, Seconds: c.seconds}
		for _, name := range c.names {
			b.facts.Host.Others = append(b.facts.Host.Others, measure.HostProcess{Name: name})
		}
		r := b.evaluate()
		var told []string
		for _, w := range says(r.Warnings) {
			if strings.Contains(w, "this machine") {
				told = append(told, w)
			}
		}
		if !slices.Equal(r.Generator.Starved, c.starved) || len(told) != len(c.says) {
			t.Errorf("%s: starved %v, %q; want %v, %q", c.name, r.Generator.Starved, told, c.starved, c.says)
			continue
		}
		for i, want := range c.says {
			if !strings.Contains(told[i], want) {
				t.Errorf("%s: %q, want %q", c.name, told[i], want)
			}
		}
	}
	if got := union([]int{1, 3, 5}, []int{0, 3, 4}); !slices.Equal(got, []int{0, 1, 3, 4, 5}) {
		t.Errorf("union %v", got)
	}
}

// Shards that are missing, or cut off, are named one by one up to eight.
func TestAbsentShards(t *testing.T) {
	shards := strings.Fields("1/9 2/9 3/9 4/9 5/9 6/9 7/9 8/9 9/9")
	var cut []measure.Cut
	for i, s := range shards {
		cut = append(cut, measure.Cut{Shard: s, After: time.Duration(i+1) * time.Second})
	}
	for _, c := range []struct {
		missing, cut int
		n            int
		first, last  string
	}{
		{0, 0, 0, "", ""},
		{1, 0, 1, "shard 1/9 is missing", "shard 1/9 is missing"},
		{8, 0, 8, "shard 1/9 is missing", "shard 8/9 is missing"},
		{9, 0, 1, "9 shards are missing, the first is 1/9", "9 shards are missing, the first is 1/9"},
		{0, 8, 8, "shard 1/9 is cut off after 1 s", "shard 8/9 is cut off after 8 s"},
		{0, 9, 1, "9 shards are cut off, the first is 1/9 after 1 s", "9 shards are cut off, the first is 1/9 after 1 s"},
		{1, 1, 2, "shard 1/9 is missing", "shard 1/9 is cut off after 1 s"},
	} {
		got := says(absent(&measure.Facts{Missing: shards[:c.missing], Cut: cut[:c.cut]}))
		if len(got) != c.n || c.n > 0 && (got[0] != c.first || got[len(got)-1] != c.last) {
			t.Errorf("%d missing, %d cut off: %q", c.missing, c.cut, got)
		}
	}
}
