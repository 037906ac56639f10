package reason

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/unit"
)

// example is an argument of a kind.
func example(k kind) any {
	switch k {
	case kindWord:
		return Word("fail")
	case kindDuration:
		return 1250 * time.Millisecond
	case kindShift:
		return -time.Hour
	case kindShare:
		return unit.Share(0.0123)
	case kindQuantile:
		return unit.Share(0.999)
	case kindCount:
		return int64(12345)
	case kindFigure:
		return 29.4
	case kindRate:
		return unit.Rate(0.5)
	case kindSize:
		return unit.Size(1 << 20)
	case kindReasons:
		return Reasons{Said("one"), Said("two")}
	default:
		return `a "name"`
	}
}

// What is written reads back as the same value, whatever the code, and says all
// its arguments in both languages.
func TestEveryReasonReadsBack(t *testing.T) {
	for code, row := range rows() {
		r := Reason{Code: code}
		for _, p := range row.args {
			r.Args = append(r.Args, example(p.kind))
		}
		b, err := json.Marshal(Reasons{r})
		if err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		var back Reasons
		if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, Reasons{r}) {
			t.Errorf("%s: %s became %#v, %v", code, b, back, err)
		}
		for i, p := range row.args {
			for _, lang := range []Lang{English, Chinese} {
				if says := show(p.kind, r.Args[i], lang); says == "" || !strings.Contains(r.Text(lang), says) {
					t.Errorf("%s does not say %q of %s: %q", code, says, p.name, r.Text(lang))
				}
			}
		}
	}
}

func TestText(t *testing.T) {
	reason := New(Latency, unit.Share(0.99), 500*time.Millisecond, Word("fail"), unit.Share(0.013), unit.Share(0.728))
	all := Reasons{reason, New(AnswersWithin, unit.Share(0.999), 9870*time.Microsecond), New(NotInferredNeeds, unit.Share(0.95), 8210)}
	if got, want := all.String(), "P99 500 ms: fail: 1.3 % not answered, 72.8 % answered too late; P99.9 of answers 9.87 ms; inference: inconclusive at 95 % confidence, about 8,210 would decide four times in five"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := New(ObjectiveSays, "latency-p99", all[:2]).Text(Chinese), "latency-p99：P99 500 ms：不通过：1.3 % 未应答，72.8 % 应答过晚；应答的 P99.9 为 9.87 ms"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// Whoever writes braces into a name writes them into a text, no more.
	if got := Said("{text} %s {").Text(Chinese); got != "{text} %s {" {
		t.Errorf("%q", got)
	}
	if got := New("of_tomorrow", 1); got.String() != "of_tomorrow" || got.Known() || New(EndedEarly, got).Known() || !New(EndedEarly, Said("x")).Known() {
		t.Errorf("a code that is not known: %q", got)
	}
}

// Journals and results of before there were codes have texts in their place.
func TestTextsOfOldReadAsSaid(t *testing.T) {
	var f struct {
		None, Interrupted, Both Reasons
	}
	if err := json.Unmarshal([]byte(`{"none": "", "interrupted": "a signal ended the load", "both": ["a; b", {"code": "no_answers"}]}`), &f); err != nil {
		t.Fatal(err)
	}
	if f.None != nil || f.Interrupted.String() != "a signal ended the load" || f.Both.Text(Chinese) != "a; b；没有应答" {
		t.Errorf("%+v", f)
	}
}

func TestHostileJSON(t *testing.T) {
	deep := strings.Repeat(`{"code": "load_failed", "args": {"why": [`, 50) + strings.Repeat(`]}}`, 50)
	for in, ok := range map[string]bool{
		`{"code": "not_answered"}`:                       true, // arguments that are missing are zero
		`{"code": "not_answered", "args": {"n": "ten"}}`: false,
		`{"code": "not_answered", "args": {"n": 1e99}}`:  false,
		`{"code": "unheard_of", "args": {"n": [[[]]]}}`:  true,
		`{"code": 7}`: false,
		`null`:        true,
		`17`:          false,
		`{"code": "load_failed", "args": {"why": {"a": 1}}}`:  false,
		`{"code": "load_failed", "args": {"why": [null, 3]}}`: false,
		deep: false,
	} {
		var r Reason
		if err := json.Unmarshal([]byte(in), &r); (err == nil) != ok {
			t.Errorf("%.80s: %v", in, err)
		}
		_, _ = r.Text(Chinese), r.Map(strings.ToUpper)
	}
}

func TestErrors(t *testing.T) {
	err := Reasons{New(ShardEnded, "1/3", "signal: killed"), Said("b")}.Err()
	if got := Of(fmt.Errorf("load: %w", err)); got.String() != "load: "+err.Error() {
		t.Errorf("wrapped: %q", got)
	}
	if got := Of(err); len(got) != 2 || got[0].Code != ShardEnded {
		t.Errorf("%v", got)
	}
	if got := Of(errors.New("EOF")); got.Text(Chinese) != "EOF" {
		t.Errorf("%v", got)
	}
	if Reasons(nil).Err() != nil {
		t.Error("no reason is an error")
	}
	if got := (Reasons{New(LoadFailed, Reasons{New(ShardEnded, "secret", "x")})}).Map(func(s string) string { return strings.ReplaceAll(s, "secret", "***") }); !strings.Contains(got.String(), "shard ***") {
		t.Errorf("a text deep inside is not redacted: %q", got)
	}
}
