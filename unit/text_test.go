package unit

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	const ms, hour = time.Millisecond, time.Hour
	for _, tt := range []struct{ got, want string }{
		{Duration(0).Text(), "0 s"},
		{Duration(1).Text(), "1 ns"},
		{Duration(999).Text(), "999 ns"},
		{Duration(38 * time.Microsecond).Text(), "38 µs"},
		{Duration(999_499).Text(), "999 µs"},
		{Duration(999_500).Text(), "1 ms"},
		{Duration(9870 * time.Microsecond).Text(), "9.87 ms"},
		{Duration(9994 * time.Microsecond).Text(), "9.99 ms"},
		{Duration(9996 * time.Microsecond).Text(), "10 ms"},
		{Figure(0.09994), "0.0999"},
		{Figure(0.09996), "0.1"},
		{Duration(99_960 * time.Microsecond).Text(), "100 ms"},
		{Duration(312 * ms).Text(), "312 ms"},
		{Duration(1500 * ms).Text(), "1.5 s"},
		{Duration(1254 * ms).Text(), "1.25 s"},
		{Duration(59_940 * ms).Text(), "59.9 s"},
		{Duration(59_960 * ms).Text(), "1 min"},
		{Duration(110 * time.Second).Text(), "1 min 50 s"},
		{Duration(2*hour + 5*time.Minute).Text(), "2 h 5 min"},
		{Duration(-1500 * ms).Text(), "-1.5 s"},
		{Duration(math.MinInt64).Text()[:1], "-"},
		{Share(0).Text(), "0 %"},
		{Share(1).Text(), "100 %"},
		{Share(0.013).Text(), "1.3 %"},
		{Share(1 - 0.99).Text(), "1 %"},
		{Share(0.12345).Text(), "12.35 %"},
		{Share(0.00012).Text(), "0.012 %"},
		{Share(0.000001).Text(), "0.0001 %"},
		{Share(0.99997).Text(), "99.997 %"},
		{Share(13.61).Text(), "1,361 %"},
		{Share(math.NaN()).Text(), "–"},
		{Share(0.123).Signed(), "+12.3 %"},
		{Share(-0.004).Signed(), "-0.4 %"},
		{Share(0).Signed(), "0 %"},
		{Count(0).Text(), "0"},
		{Count(999).Text(), "999"},
		{Count(1234567).Text(), "1,234,567"},
		{Count(-1000).Text(), "-1,000"},
		{Count(-100).Text(), "-100"},
		{Rate(0.5).Text(), "0.5/s"},
		{Rate(150.2).Text(), "150/s"},
		{Rate(4470).Text(), "4,470/s"},
		{Rate(math.Inf(1)).Text(), "–"},
		{Size(0).Text(), "0 B"},
		{Size(500).Text(), "500 B"},
		{Size(1 << 20).Text(), "1 MiB"},
		{Size(1536 << 20).Text(), "1.5 GiB"},
		{Size(-2048).Text(), "-2 KiB"},
		{Figure(29.4), "29.4"},
		{Figure(0.0431), "0.0431"},
		{Figure(0), "0"},
		{Figure(-0.5), "-0.5"},
		{Figure(0.0000001234), "0.000000123"},
		{Factor(1.24), "1.2×"},
		{Factor(0.043), "0.04×"},
		{Factor(12.34), "12.3×"},
		{Factor(1e9), ">999×"},
		{Factor(math.NaN()), "–"},
		{Clock(48900 * ms), "00:48"},
		{Clock(-5), "00:00"},
		{Clock(3723 * time.Second), "1:02:03"},
		{Clock(100 * hour), "100:00:00"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

// In a column all are in one unit, with the digits they have alone.
func TestColumns(t *testing.T) {
	const us, ms, s = Duration(time.Microsecond), Duration(time.Millisecond), Duration(time.Second)
	for _, tt := range []struct {
		column []Duration
		want   string
	}{
		{[]Duration{0, 9870 * us, 1254 * ms}, "0 s, 9.87 ms, 1,254 ms"},
		{[]Duration{38 * us, 312 * ms}, "0.04 ms, 312 ms"},
		{[]Duration{9870 * us, 12500 * ms, 120 * s}, "0.01 s, 12.5 s, 120 s"},
		{[]Duration{0, 0}, "0 s, 0 s"},
		{[]Duration{60 * s, 110 * s}, "1 min, 1 min 50 s"},
		{[]Duration{312 * ms}, "312 ms"},
		{nil, ""},
	} {
		show := DurationColumn(tt.column)
		var got []string
		for _, d := range tt.column {
			got = append(got, show(d))
		}
		if got := strings.Join(got, ", "); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	sizes := []Size{71 << 20, 1536 << 20, 0}
	size := SizeColumn(sizes)
	for i, want := range []string{"71 MiB", "1,536 MiB", "0 B"} {
		if got := size(sizes[i]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What is not nothing never reads as nothing, and what is not all never as all.
func TestNothingIsRoundedAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.Int64Range(1, 1_000_000).Draw(t, "part")
		s := Share(float64(part) / 1_000_001).Text()
		if s == "0 %" || s == "100 %" || !strings.HasSuffix(s, " %") {
			t.Fatalf("%d of 1,000,001 reads %q", part, s)
		}
		if d := Duration(part).Text(); strings.HasPrefix(d, "0 ") {
			t.Fatalf("%d ns reads %q", part, d)
		}
		if v := Figure(float64(part) / 1e8); v == "0" {
			t.Fatalf("%d/1e8 reads as nothing", part)
		}
	})
}
