package unit

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	dur := func(s string) (any, error) { v, err := ParseDuration(s); return v, err }
	rate := func(s string) (any, error) { v, err := ParseRate(s); return v, err }
	share := func(s string) (any, error) { v, err := ParseShare(s); return v, err }
	size := func(s string) (any, error) { v, err := ParseSize(s); return v, err }
	count := func(s string) (any, error) { v, err := ParseCount(s); return v, err }
	tests := []struct {
		parse func(string) (any, error)
		in    string
		want  any
		err   string
	}{
		{dur, "500ms", 500 * time.Millisecond, ""},
		{dur, "1h30m", 90 * time.Minute, ""},
		{dur, "500", nil, `"500" has no unit: write for example 500ms or 500s`},
		{dur, "-5s", nil, `"-5s" is negative: a duration is zero or more`},
		{dur, "soon", nil, `"soon" is not a duration: write for example 500ms, 5s or 1h30m`},
		{rate, "500/s", Rate(500), ""},
		{rate, "30/m", Rate(0.5), ""},
		{rate, "2k/s", Rate(2000), ""},
		{rate, "500", nil, `"500" is not a rate: write for example 500/s or 30/m`},
		{rate, "1e3/s", nil, `"1e3/s" is not a rate: write for example 500/s or 30/m`},
		{rate, "5/day", nil, `"5/day" is not a rate: per what? write /s, /m or /h`},
		{share, "99.9%", Share(0.999), ""},
		{share, "101%", nil, `"101%" is not between 0% and 100%`},
		{share, "NaN%", nil, `"NaN%" is not a share: write a percentage, for example 99%`},
		{share, "0.99", nil, `"0.99" is not a share: write a percentage, for example 99%`},
		{size, "16KiB", Size(16384), ""},
		{size, "20kB", Size(20000), ""},
		{size, "16", nil, `"16" is not a size: write for example 500B, 16KiB or 1MiB`},
		{count, "20k", Count(20000), ""},
		{count, "1.1k", Count(1100), ""},
		{count, "0x10", nil, `"0x10" is not a count: write for example 200 or 20k`},
		{count, "1.5", nil, `"1.5" is not a count: write for example 200 or 20k`},
	}
	for _, tt := range tests {
		got, err := tt.parse(tt.in)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("parse %q: error %v, want %s", tt.in, err, tt.err)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("parse %q = %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct {
		in   interface{ String() string }
		want string
	}{
		{Duration(90 * time.Minute), "1h30m"},
		{Duration(time.Hour), "1h"},
		{Duration(74 * time.Second), "1m14s"},
		{Duration(0), "0s"},
		{Duration(10 * time.Minute), "10m"},
		{Rate(500), "500/s"},
		{Rate(0.5), "30/m"},
		{Rate(20000), "20k/s"},
		{Rate(12345), "12345/s"},
		{Share(0.99), "99%"},
		{Share(0.999), "99.9%"},
		{Size(16384), "16KiB"},
		{Size(500), "500B"},
		{Count(20000), "20k"},
		{Count(12345), "12345"},
	} {
		if got := tt.in.String(); got != tt.want {
			t.Errorf("%#v prints %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Count(rapid.Int64Range(0, maxCount).Draw(t, "count"))
		var c2 Count
		if err := c2.UnmarshalText([]byte(c.String())); err != nil || c2 != c {
			t.Fatalf("count %d prints %q, reads %d, %v", c, c, c2, err)
		}
		d := Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, "duration"))
		var d2 Duration
		if err := d2.UnmarshalText([]byte(d.String())); err != nil || d2 != d {
			t.Fatalf("duration %d prints %q, reads %d, %v", d, d, d2, err)
		}
		r := Rate(float64(rapid.Int64Range(0, 1e9).Draw(t, "rate")) / 60)
		var r2 Rate
		if err := r2.UnmarshalText([]byte(r.String())); err != nil || r2-r > 1e-6 || r-r2 > 1e-6 {
			t.Fatalf("rate %v prints %q, reads %v, %v", float64(r), r, float64(r2), err)
		}
	})
}
