package scenarios

import (
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	want := []string{"midnight-sale", "smoke", "steady-200", "tuning-stages"}
	if got := Names(); !slices.Equal(got, want) {
		t.Errorf("built in are %v, want %v", got, want)
	}
	for _, name := range want {
		text, ok := Get(name)
		if !ok || !strings.Contains(string(text), "\nname: "+name+"\n") || !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s: found %v, has its name and says what it is for: no", name, ok)
		}
	}
	for _, name := range []string{"", "none", "../scenarios", "smoke.yaml"} {
		if _, ok := Get(name); ok {
			t.Errorf("there is no built-in %q", name)
		}
	}
}

// A caller may write into what Get gives without changing the built-in.
func TestGetGivesACopy(t *testing.T) {
	text, _ := Get("smoke")
	text[0] = 'X'
	if again, _ := Get("smoke"); again[0] != '#' {
		t.Error("the built-in itself was given out")
	}
}
