package load

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
)

func TestServerTimes(t *testing.T) {
	for header, want := range map[string]string{
		``:                                 "",
		`total;dur=12.5`:                   "total 12.5ms",
		`pre;dur=1, llm;dur=0.25, x`:       "pre 1ms, llm 250µs",
		`db;desc="a, b; dur=9";dur="3"`:    "db 3ms",
		`db;desc="a\", dur=9";DUR = 3 `:    "db 3ms",
		`cache;desc=hit;dur=0`:             "cache 0s",
		`a;dur=1;dur=2`:                    "a 1ms",
		`a;dur=-1, b;dur=1e3, c;dur=1.2.3`: "",
		`a;dur=, b;dur, c;dur=1`:           "c 1ms",
		`;dur=1, "q";dur=1, 数据;dur=1`:      "",
		`a;dur=0.0000001`:                  "a 0s",
		`a;dur=99999999999999999999`:       "",
		`a;dur=86400000, b;dur=86400001`:   "a 24h0m0s",
		"\x1b[31m;dur=1":                   "",
		`a;desc="never closed, b;dur=1`:    "",
		strings.Repeat("a;dur=1,", 100):    strings.TrimSuffix(strings.Repeat("a 1ms, ", measure.MaxServerTimes), ", "),
	} {
		var got []string
		for _, s := range serverTimes(nil, []byte(header)) {
			got = append(got, fmt.Sprintf("%s %v", s.Name, s.Took))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q: %q, want %q", header, strings.Join(got, ", "), want)
		}
	}
}

func TestServerTimesAllocateNothing(t *testing.T) {
	header := []byte("pre;dur=0.1, redis;dur=1.234, llm;dur=110.5, total;dur=112")
	to := make([]measure.ServerTime, 0, measure.MaxServerTimes)
	if n := testing.AllocsPerRun(100, func() { to = serverTimes(to[:0], header) }); n != 0 || len(to) != 4 || to[2].Took != 110500*time.Microsecond {
		t.Errorf("%v allocations, %v", n, to)
	}
}

func FuzzServerTiming(f *testing.F) {
	f.Add([]byte(`pre;dur=0.1, db;desc="a\", b";dur=3`))
	f.Fuzz(func(t *testing.T, header []byte) {
		for _, s := range serverTimes(nil, header) {
			if len(s.Name) == 0 || s.Took < 0 || s.Took > 24*time.Hour {
				t.Errorf("%q: %q %v", header, s.Name, s.Took)
			}
		}
	})
}
