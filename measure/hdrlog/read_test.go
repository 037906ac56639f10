package hdrlog

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/cstest/cstest/measure"
)

// What Write writes comes back: the same counts, the same quantiles but for
// the width of a bucket.
func TestRoundTrip(t *testing.T) {
	fast, slow := measure.NewHistogram(), measure.NewHistogram()
	for i := range 10_000 {
		fast.Record(time.Duration(i) * 7 * time.Microsecond)
		slow.Record(time.Duration(i*i) * time.Microsecond)
	}
	slow.Record(2 * time.Hour) // kept as an hour
	start := time.Date(2026, 11, 11, 0, 0, 0, 250e6, time.UTC)
	var out bytes.Buffer
	err := Write(&out, start, []string{"two\nlines"}, []Entry{
		{Tag: "响应", From: time.Second, To: 3 * time.Second, Histogram: fast},
		{To: time.Second},
		{Tag: "响应", From: 3 * time.Second, To: 4500 * time.Millisecond, Histogram: slow},
		{Tag: "slow", To: 9 * time.Second, Histogram: slow},
	})
	if err != nil {
		t.Fatal(err)
	}
	log, err := Read(&out, time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	if !log.Start.Equal(start) || len(log.Series) != 3 {
		t.Fatalf("start %s, %d series", log.Start, len(log.Series))
	}
	both := fast.Clone()
	if err := both.Add(slow); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		tag       string
		intervals int
		from, to  time.Duration
		h         *measure.Histogram
	}{{"响应", 2, time.Second, 4500 * time.Millisecond, both}, {"", 1, 0, time.Second, measure.NewHistogram()}, {"slow", 1, 0, 9 * time.Second, slow}} {
		s := &log.Series[i]
		if s.Tag != want.tag || s.Intervals != want.intervals || s.From != want.from || s.To != want.to || s.N() != want.h.N() {
			t.Errorf("series %d: %q, %d intervals from %s to %s, n %d", i, s.Tag, s.Intervals, s.From, s.To, s.N())
		}
		for _, q := range []float64{0, 0.001, 0.5, 0.9, 0.95, 0.99, 0.999} {
			got, ok := s.Quantile(q)
			exact, fine := want.h.Quantile(q)
			if ok != fine || got < exact || got > exact+exact/1000+512 {
				t.Errorf("%q: P%g is %s, was %s", s.Tag, 100*q, got, exact)
			}
		}
	}
	if v, ok := log.Series[2].Max(); !ok || v < time.Hour || v > time.Hour+4*time.Second {
		t.Errorf("the greatest value is %s", v)
	}
	if _, ok := log.Series[1].Quantile(0.5); ok {
		t.Error("an empty histogram has a median")
	}
	if v, ok := log.Series[1].Mean(); ok {
		t.Errorf("an empty histogram has a mean of %s", v)
	}
	exact, _ := both.Mean() // with the two hours as such
	exact -= time.Hour / time.Duration(both.N())
	if mean, ok := log.Series[0].Mean(); !ok || mean < exact-exact/1000 || mean > exact+exact/1000 {
		t.Errorf("mean %s, want %s", mean, exact)
	}
}

// Logs the library writes, at every precision and of other units, are read to
// the very value the library gives for the rank.
func TestLogOfTheLibrary(t *testing.T) {
	for digits := 1; digits <= 5; digits++ {
		for _, unit := range []time.Duration{time.Nanosecond, time.Microsecond, time.Millisecond} {
			var out bytes.Buffer
			w := hdrhistogram.NewHistogramLogWriter(&out)
			check(t, w.OutputLogFormatVersion())
			check(t, w.OutputStartTime(1_700_000_000_000))
			check(t, w.OutputLegend())
			sum := hdrhistogram.New(int64(digits), 1<<40, digits)
			for i := range 3 {
				// Writers that grow as they go have another range in every interval.
				h := hdrhistogram.New(int64(digits), 1<<(30+5*i), digits)
				for v := int64(1); v < 1<<(20+5*i); v = v*5/4 + 1 {
					check(t, h.RecordValues(v, 1+v%3))
				}
				h.SetTag("a")
				h.SetStartTimeMs(int64(1_700_000_000_000 + 1000*i))
				h.SetEndTimeMs(int64(1_700_000_001_000 + 1000*i))
				check(t, w.OutputIntervalHistogram(h))
				sum.Merge(h)
			}
			log, err := Read(&out, unit)
			if err != nil {
				t.Fatal(err)
			}
			s := &log.Series[0]
			n := sum.TotalCount()
			if len(log.Series) != 1 || s.N() != n || s.Intervals != 3 || s.From != 0 || s.To != 3*time.Second {
				t.Fatalf("%d digits: %d series, n %d of %d, %d intervals from %s to %s", digits, len(log.Series), s.N(), n, s.Intervals, s.From, s.To)
			}
			for k := int64(1); k <= n; k++ {
				want := time.Duration(sum.ValueAtPercentile(100*float64(k)/float64(n))) * unit
				if got, ok := s.AtRank(k); !ok || got != want {
					t.Fatalf("%d digits, rank %d of %d: %d, want %d", digits, k, n, got, want)
				}
			}
			if mean, _ := s.Mean(); math.Abs(float64(mean)/float64(unit)/sum.Mean()-1) > 1e-6 {
				t.Errorf("%d digits: mean %d, want %g units", digits, mean, sum.Mean())
			}
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A log of jHiccup's (Java), of two digits. HdrHistogram's own tests say P99.9
// 1745879039 and max 1796210687 of it, after they have put the lower edge of each
// bucket into a histogram of three digits; these are the upper edges themselves.
func TestLogOfJava(t *testing.T) {
	f, err := os.Open("testdata/jhiccup-2.0.7.hlog")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log, err := Read(f, time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	s := &log.Series[0]
	p999, _ := s.Quantile(0.999)
	most, _ := s.Max()
	if len(log.Series) != 1 || s.Intervals != 62 || s.N() != 48761 || p999>>23 != 1745879039>>23 || p999 != 1753219071 || most>>23 != 1796210687>>23 || most != 1803550719 || log.Start.UnixMilli() != 1441812279474 {
		t.Errorf("%d series, %d intervals, n %d, P99.9 %d, max %d, start %s", len(log.Series), s.Intervals, s.N(), p999, most, log.Start)
	}
	if s.From != 127*time.Millisecond || s.To < 61*time.Second || s.To > 63*time.Second {
		t.Errorf("from %s to %s", s.From, s.To)
	}
}

// packed is a histogram of one value as a log holds it.
func packed(t testing.TB, v, n int64) string {
	t.Helper()
	h := hdrhistogram.NewPacked(1, 1<<62, 3)
	check(t, h.RecordValues(v, n))
	b, err := h.Encode()
	check(t, err)
	return string(b)
}

// forged is a compressed histogram with a head and counts of somebody's choice.
func forged(length, digits uint32, low, high uint64, counts []byte) string {
	inner := make([]byte, 40, 40+len(counts))
	binary.BigEndian.PutUint32(inner, 0x1c849313)
	binary.BigEndian.PutUint32(inner[4:], length)
	binary.BigEndian.PutUint32(inner[12:], digits)
	binary.BigEndian.PutUint64(inner[16:], low)
	binary.BigEndian.PutUint64(inner[24:], high)
	binary.BigEndian.PutUint64(inner[32:], math.Float64bits(1))
	return wrapped(0x1c849314, append(inner, counts...))
}

func wrapped(cookie uint32, inner []byte) string {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	w.Write(inner) //nolint:errcheck // memory
	w.Close()
	out := binary.BigEndian.AppendUint32(nil, cookie)
	out = binary.BigEndian.AppendUint32(out, uint32(z.Len()))
	return base64.StdEncoding.EncodeToString(append(out, z.Bytes()...))
}

func TestLines(t *testing.T) {
	one := packed(t, 5000, 1)
	for name, c := range map[string]struct {
		log  string
		want string // tag n from to, of every series
	}{
		"bare":              {"0,1,1," + one, ` 1 0s 1s;`},
		"spaces, CRLF, BOM": {"\xef\xbb\xbf#[Histogram log format version 1.3]\r\n\r\n  \r\n0.5 , 1.0,0.005," + one + "\r\n", ` 1 0s 1s;`},
		"legend, comments":  {"#\n#x\n\"StartTimestamp\",\"x\"\n#[StartTime: 100.5 (seconds since epoch), Thu]\n1.000,1.000,1," + one + "\n#[BaseTime: 100.5 (seconds since epoch)]\n2,1,1," + one, ` 2 -1m39.5s 3s;`},
		"base":              {"#[BaseTime: 2000000000.000 (seconds since epoch)]\n#[StartTime: 2000000000.000 (seconds since epoch), x]\n0.25,1,1," + one + "\n1.25,1,1," + one, ` 2 250ms 2.25s;`},
		"since the epoch":   {"#[StartTime: 2000000000 (seconds since epoch)]\n2000000003,1,1," + one, ` 1 3s 4s;`},
		"since the start":   {"#[StartTime: 2000000000]\n3,1,1," + one, ` 1 3s 4s;`},
		"tags":              {"Tag=b,0,1,1," + one + "\nTag=a,0,1,1," + one + "\n0,1,1," + one + "\nTag=b,1,1,1," + one, `b 2 0s 2s;a 1 0s 1s; 1 0s 1s;`},
		"empty tag":         {"Tag=,0,1,1," + one, ` 1 0s 1s;`},
		"empty histogram":   {"0,1,0," + forged(0, 3, 1, 3600, nil), ` 0 0s 1s;`},
		"exponents":         {"0.0e0,1e0,1E-3," + one, ` 1 0s 1s;`},
	} {
		log, err := Read(strings.NewReader(c.log), time.Nanosecond)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := ""
		for i := range log.Series {
			s := &log.Series[i]
			got += fmt.Sprintf("%s %d %s %s;", s.Tag, s.N(), s.From, s.To)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestHostileLogs(t *testing.T) {
	one := packed(t, 5000, 1)
	bomb := forged(200_000, 5, 1, math.MaxInt64, bytes.Repeat([]byte{2}, 200_000))
	many := strings.Builder{}
	for i := range 5000 {
		fmt.Fprintf(&many, "Tag=t%d,0,1,1,%s\n", i, one)
	}
	spread := strings.Builder{}
	for i := range 30 {
		// Noise, so that it is not the inflation that is refused.
		counts := make([]byte, 0, 30_000)
		for k := range 30_000 {
			counts = append(counts, byte(2+(k*k*7+i*k)%31*2))
		}
		fmt.Fprintf(&spread, "Tag=t%d,0,1,1,%s\n", i, forged(30_000, 5, 1, math.MaxInt64, counts))
	}
	first := "0,1,1," + one + "\n"
	for name, c := range map[string]struct{ log, want string }{
		"nothing":         {"", "no histogram in it"},
		"comments only":   {"#[Histogram log format version 1.3]\n\n", "no histogram in it"},
		"prose":           {"hello\n", "line 1: unknown format: want an HdrHistogram log"},
		"gzip":            {"\x1f\x8b\x08\x00", "compressed: unpack it"},
		"zip":             {"PK\x03\x04", "compressed: unpack it"},
		"JSON":            {"{\"a\": 1}", "is JSON"},
		"journal":         {"CSTJ\x01\x00", "the journal of a run"},
		"percentiles":     {"       Value     Percentile TotalCount 1/(1-Percentile)\n", "table of percentiles"},
		"wrk2":            {"Running 30s test @ http://127.0.0.1\n", "table of percentiles"},
		"binary":          {"\xff\xfe\x00\x01", "unknown format"},
		"later prose":     {first + "\nhello", "line 3: not a line of a histogram log"},
		"version":         {"#[Histogram log format version 2.0]\n" + first, `line 1: log format version "2.0": want 1.1, 1.2 or 1.3`},
		"start":           {"#[StartTime: soon]\n", "StartTime: want seconds"},
		"base":            {"#[BaseTime: -1 (seconds)]\n", "BaseTime: want seconds"},
		"NaN":             {"NaN,1,1," + one, "unknown format"},
		"infinite":        {"1e999,1,1," + one, "unknown format"},
		"negative":        {first + "0,-1,1," + one, "line 2: not a line"},
		"far apart":       {first + "99999999999,1,1," + one, "more than 30 years"},
		"tag, cut":        {"Tag=abc", "a tag and no histogram"},
		"tag, control":    {"Tag=a\x1b[31m,0,1,1," + one, "control character"},
		"tag, long":       {"Tag=" + strings.Repeat("x", 300) + ",0,1,1," + one, "tag of 300 bytes"},
		"tags":            {many.String(), "line 4097: more than 4096 tags"},
		"no base64":       {"0,1,1,!!!!", "not base64"},
		"cut":             {"0,1,1," + one[:9], "not base64"},
		"short":           {"0,1,1,HIST", "not base64"},
		"V1":              {"0.1,1.0,2.8,HISTIgAAAFd42pNpmazIwMAYxgABTBDKT4GBgdnNYMcCBvsPUBkeBkYGZqA8MwMbAzsDC5DFBCTZgJCDQY1BjkGLQZRBlUEPCB8zWDCYMxgDZZkZhgJgHDibAY8JB/A=", "before 2015"},
		"V0":              {"0.1,1.0,2.8,HISTiQAAAG54", "before 2015"},
		"double":          {"0,1,1," + wrapped(0x0c72124f, nil), "unknown kind"},
		"not packed":      {"0,1,1," + base64.StdEncoding.EncodeToString([]byte("\x1c\x84\x93\x14\x00\x00\x00\x04abcd")), "damaged"},
		"short head":      {"0,1,1," + wrapped(0x1c849314, make([]byte, 39)), "damaged"},
		"length":          {"0,1,1," + forged(5, 3, 1, 1000, []byte{2}), "damaged"},
		"length, negated": {"0,1,1," + forged(math.MaxUint32, 3, 1, 1000, []byte{2}), "want at most 1048576"},
		"digits":          {"0,1,1," + forged(1, 9, 1, 1000, []byte{2}), "damaged"},
		"run of zeros":    {"0,1,1," + forged(2, 3, 1, 1000, []byte{0xff, 0x7f}), "damaged"},
		"overflow":        {first + "0,1,1," + packed(t, 7, math.MaxInt64), "line 2: the counts do not fit"},
		"unit":            {"0,1,1," + packed(t, 1<<62, 1), ""},
		"bomb":            {strings.Repeat("0,1,1,"+bomb+"\n", 100), "beyond all measure"},
		"buckets":         {spread.String(), "more than 524288 buckets"},
		"line":            {strings.Repeat("0", 3<<20), "line 1: longer than 2 MiB"},
		"comment":         {first + "#" + strings.Repeat("x", 3<<20), "line 2: longer than 2 MiB"},
	} {
		log, err := Read(strings.NewReader(c.log), time.Nanosecond)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || log != nil || !strings.HasPrefix(err.Error(), "hlog: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := Read(strings.NewReader("0,1,1,"+packed(t, 1<<62, 1)), time.Microsecond); err == nil || !strings.Contains(err.Error(), "292 years: is that the unit") {
		t.Errorf("a value of 146,000 years: %v", err)
	}
	if _, err := Read(strings.NewReader(first), 0); err == nil {
		t.Error("a unit of nothing was taken")
	}
	if _, err := Read(io.MultiReader(strings.NewReader(first), failing{}), 1); err == nil || !strings.Contains(err.Error(), "line 2: disk gone") {
		t.Errorf("a disk that fails: %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, fmt.Errorf("disk gone") }

// Whatever a log holds: no panic, bounded memory, and what was read is in order.
func FuzzRead(f *testing.F) {
	one := packed(f, 5000, 3)
	java, err := os.ReadFile("testdata/jhiccup-2.0.7.hlog")
	check(f, err)
	f.Add(java[:1500])
	for _, seed := range []string{
		"0,1,1," + one, "#[StartTime: 5.5 (s)]\nTag=a,0,1,1," + one + "\r\n\r\n0,1,1," + one, "#[BaseTime: 7]\n\"x\"\n1e3,1,1," + forged(3, 0, 0, math.MaxInt64, []byte{2, 3, 2}),
		"0,1,1," + forged(4, 5, 1, 2, []byte{1, 0, 0xff, 0x01}), "Tag=,0,0,0,HISTFAAA", "{}", "Value ",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		log, err := Read(bytes.NewReader(data), time.Microsecond)
		if err != nil {
			if log != nil || !strings.HasPrefix(err.Error(), "hlog: ") {
				t.Fatalf("%v and %v", log, err)
			}
			return
		}
		for i := range log.Series {
			s := &log.Series[i]
			last, n := time.Duration(-1), int64(0)
			for _, b := range s.buckets {
				n += b.count
				if b.count <= 0 || b.low < 0 || b.high < b.low {
					t.Fatalf("bucket %+v", b)
				}
			}
			if n != s.N() || s.Intervals < 1 || s.To < s.From {
				t.Fatalf("n %d, counted %d; %d intervals from %s to %s", s.N(), n, s.Intervals, s.From, s.To)
			}
			for _, q := range []float64{0, 0.5, 0.99, 1} {
				v, ok := s.Quantile(q)
				if ok != (n > 0) || v < last && ok {
					t.Fatalf("quantile %g is %d after %d", q, v, last)
				}
				last = v
			}
			mean, ok := s.Mean()
			if most, _ := s.Max(); ok && (mean < 0 || mean > most+most/2+time.Millisecond) {
				t.Fatalf("mean %d, max %d", mean, most)
			}
		}
	})
}
