package measure

import (
	"reflect"
	"testing"
	"time"
)

// notTold are the fields of a turn that stay where it was recorded.
var notTold = map[string]bool{"Gaps": true, "Server": true, "Dialog": true}

// filled is a turn with something in every field, n telling it apart from others.
func filled(t testing.TB, n int) Turn {
	var turn Turn
	v := reflect.ValueOf(&turn).Elem()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case name == "Gaps":
			turn.Gaps = []time.Duration{1}
		case name == "Server":
			turn.Server = make([]ServerTime, 1)
		case name == "Dialog":
			turn.Dialog = new(Dialog)
		case name == "Lag":
			turn.Lag = -time.Duration(n) // signs are kept
		case f.CanInt():
			f.SetInt(int64(1_000_000*i + n))
		case f.CanUint():
			f.SetUint(1)
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		case f.Kind() == reflect.Array:
			for k := range f.Len() {
				f.Index(k).SetUint(uint64(i + k + n))
			}
		case name == "Usage":
			for k, to := range turn.Usage.fields() {
				*to = int64(k + n)
			}
		default:
			t.Fatalf("%s: a field of a kind that this test does not know", name)
		}
	}
	return turn
}

// Every field of a turn is told, but those that say that they are not.
func TestTurnsAreToldWhole(t *testing.T) {
	want := []Turn{filled(t, 1), {}, filled(t, 2)}
	var b []byte
	for i := range want {
		b = AppendTurn(b, &want[i])
	}
	got, err := DecodeTurns(b)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d turns, %v", len(got), err)
	}
	for n := range want {
		w, g := reflect.ValueOf(want[n]), reflect.ValueOf(got[n])
		for i := range w.NumField() {
			name, wanted := w.Type().Field(i).Name, w.Field(i).Interface()
			if notTold[name] {
				wanted = reflect.Zero(w.Field(i).Type()).Interface()
			}
			if !reflect.DeepEqual(g.Field(i).Interface(), wanted) {
				t.Errorf("turn %d: %s is %v, want %v", n, name, g.Field(i), wanted)
			}
		}
	}
}

func TestDamagedTurnsAreRefused(t *testing.T) {
	turn := filled(t, 3)
	whole := AppendTurn(nil, &turn)
	for n := 1; n < len(whole); n++ {
		if list, err := DecodeTurns(whole[:n]); err == nil {
			t.Fatalf("%d of %d bytes are %d turns", n, len(whole), len(list))
		}
	}
	for at, value := range map[int]byte{24: byte(Outcomes), 25: byte(Tiers), 26: 9, 27: 0xff} {
		damaged := append([]byte{}, whole...)
		damaged[at] = value
		if _, err := DecodeTurns(damaged); err == nil {
			t.Errorf("byte %d may be %d", at, value)
		}
	}
}

func TestSelections(t *testing.T) {
	rare, common, failed := Turn{}, Turn{}, Turn{Outcome: Timeout}
	common.TraceID[15], failed.TraceID[15] = 1, 1
	for _, c := range []struct {
		s                    Selection
		rare, common, failed bool
	}{{NoTurns, false, false, false}, {SampledTurns, true, false, true}, {EveryTurn, true, true, true}} {
		if c.s.Has(&rare) != c.rare || c.s.Has(&common) != c.common || c.s.Has(&failed) != c.failed {
			t.Errorf("selection %d", c.s)
		}
	}
}
