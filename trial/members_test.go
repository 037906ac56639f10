package trial

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func TestMembersOf(t *testing.T) {
	for body, want := range map[string][]string{
		`{"a":1,"b":{"c":2}}`:              {"a", "b"},
		`[{"a":1},{"b":2,"a":3},4,[5]]`:    {"a", "b"},
		`[[[[{"a":1}]]]]`:                  {"a"},
		`[[[[[{"a":1}]]]]]`:                nil,
		`"text"`:                           nil,
		strings.Repeat("[", 200_000) + "1": nil,
	} {
		if got := membersOf(gjson.Parse(body), maxInside); !slices.Equal(got, want) {
			t.Errorf("%.40s: %q, want %q", body, got, want)
		}
	}
}
