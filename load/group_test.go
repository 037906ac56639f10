package load

import "testing"

func TestGroupOfAnAnswer(t *testing.T) {
	r := Rules{groups: []string{"base", "gray"}}
	for word, want := range map[string]int{"base": 1, "gray": 2, "": 0, "grey": 0, "Base": 0, "gray ": 0} {
		if got := r.groupOf([]byte(word)); got != want {
			t.Errorf("group of %q: %d, want %d", word, got, want)
		}
	}
	if got := (&Rules{}).groupOf([]byte("gray")); got != 0 {
		t.Errorf("group %d where none are told apart", got)
	}
}
