package tui

import (
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

func TestStopKeys(t *testing.T) {
	for _, c := range []struct {
		name     string
		keys     []string
		stopping bool
		want     []bool
	}{
		{"q", []string{"q"}, false, []bool{false}},
		{"q q q", []string{"q", "q", "q"}, false, []bool{false, true, true}},
		{"q then Ctrl-C", []string{"q", "ctrl+c"}, false, []bool{false, true}},
		{"Ctrl-C then q", []string{"ctrl+c", "q"}, false, []bool{false, true}},
		{"stopped by a signal before", []string{"q"}, true, []bool{true}},
		{"full width", []string{"\uff51"}, false, []bool{false}},
		{"others", []string{"p", "tab", "?", "x", "esc", "2"}, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []bool
			o := enOptions()
			o.OnStop = func(hard bool) { got = append(got, hard) }
			frames := sale(30 * time.Second)
			frames[len(frames)-1].Stopping = c.stopping
			m := screen(t, o, 80, 24, frames, c.keys...)
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("asked to stop hard: %v, want %v", got, c.want)
			}
			if stopNow := strings.Contains(footerOf(m), "q stop now"); stopNow != (c.want != nil) {
				t.Errorf("footer %q", footerOf(m))
			}
		})
	}
}

func footerOf(m *model) string {
	rows := strings.Split(ansi.Strip(m.content), "\n")
	return rows[len(rows)-1]
}

func TestViewKeys(t *testing.T) {
	m := screen(t, enOptions(), 80, 24, sale(30*time.Second))
	for _, c := range []struct {
		key  string
		view int
		help bool
	}{
		{"tab", 1, false},
		{"tab", 2, false},
		{"tab", 0, false},
		{"shift+tab", 2, false},
		{"2", 1, false},
		{"?", 1, true},
		{"?", 1, false},
		{"\uff1f", 1, true},
		{"esc", 1, false},
		{"?", 1, true},
		{"1", 0, false},
	} {
		press(m, c.key)
		if m.page != c.view || m.help != c.help {
			t.Fatalf("after %q: view %d, help %t; want %d, %t", c.key, m.page, m.help, c.view, c.help)
		}
	}
}

// TestPauseHoldsTheScreen: figures stand still, keys and sizes still work, and
// resuming shows the newest frame.
func TestPauseHoldsTheScreen(t *testing.T) {
	frames := sale(60 * time.Second)
	m := screen(t, enOptions(), 80, 24, frames[:31], "p")
	held := m.content
	for _, f := range frames[31:] {
		m.feed.Update(f)
		m.Update(freshMsg{})
	}
	if m.content != held {
		t.Error("the screen changed while paused")
	}
	m.Update(tea.WindowSizeMsg{Width: 100, Height: 30})
	if !strings.Contains(ansi.Strip(m.content), "00:30 of 01:50") {
		t.Error("a new size while paused shows another second")
	}
	press(m, "p")
	if !strings.Contains(ansi.Strip(m.content), "01:00 of 01:50") {
		t.Error("resuming does not show the newest frame")
	}
}

func TestBackgroundChoosesThePalette(t *testing.T) {
	m := screen(t, enOptions(), 80, 24, sale(30*time.Second))
	dark := m.content
	m.Update(tea.BackgroundColorMsg{Color: ansi.RGBColor{R: 255, G: 255, B: 255}})
	if m.content == dark {
		t.Error("a light terminal is drawn like a dark one")
	}
	if ansi.Strip(m.content) != ansi.Strip(dark) {
		t.Error("the background changes more than colours")
	}
}
