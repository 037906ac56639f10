package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cstest/cstest/unit"
)

// freshMsg says that the mailbox has something new.
type freshMsg struct{}

// subject is what one live view shows; how it is looked at is of live.
type subject interface {
	take() // takes what the mailbox holds
	clock() (elapsed time.Duration, stopping bool)
	body() []*line // what stands above the keys
}

// live is the Bubble Tea model of every live view: its keys, its size, its colours, and
// which of its pages is shown. It is only ever touched by the program's own goroutine.
type live struct {
	canvas

	opts    Options
	box     *mailbox
	subject subject
	pages   []string    // that tab goes through
	keyHelp [][2]string // of the page of help

	page         int
	help, paused bool
	asked        bool // for the end, on this keyboard

	scroll int  // rows of the page's table above the first that is shown
	moved  bool // the table was scrolled by the reader
	fit    int  // rows of it that were shown last

	content string // drawn, until something changes
}

// Init asks whether the terminal is light or dark.
func (l *live) Init() tea.Cmd { return tea.RequestBackgroundColor }

// Update takes a key, a new size or a new frame.
func (l *live) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case freshMsg:
		if l.paused {
			return l, nil
		}
		l.subject.take()
	case tea.WindowSizeMsg:
		l.width, l.height = max(msg.Width, 0), max(msg.Height, 0)
		l.box.cells.Store(int64(l.width) * int64(l.height))
	case tea.BackgroundColorMsg:
		l.colour = newPalette(msg.IsDark())
	case tea.KeyPressMsg:
		if !l.key(msg.String()) {
			return l, nil
		}
	default:
		return l, nil
	}
	l.draw()
	return l, nil
}

// key acts on a key and tells whether there is something to draw. Keys typed
// with a Chinese input method in full width count too.
func (l *live) key(k string) bool {
	switch k {
	case "q", "Q", "ctrl+c", "\uff51":
		l.stop()
	case "p", "P", "\uff50", "space":
		if l.paused = !l.paused; !l.paused {
			l.subject.take()
		}
	case "tab", "right":
		l.show(l.page + 1)
	case "shift+tab", "left":
		l.show(l.page + len(l.pages) - 1)
	case "1", "2", "3":
		l.show(int(k[0] - '1'))
	case "?", "\uff1f", "h":
		l.help = !l.help
	case "esc":
		l.help = false
	default:
		return l.roll(k)
	}
	return true
}

// roll moves the page's table. Where it ends is for who draws it to say.
func (l *live) roll(k string) bool {
	switch k {
	case "down", "j":
		l.scroll++
	case "up", "k":
		l.scroll--
	case "pgdown":
		l.scroll += max(l.fit-1, 1)
	case "pgup":
		l.scroll -= max(l.fit-1, 1)
	case "home", "g":
		l.scroll = 0
	default:
		return false
	}
	l.moved = true
	return true
}

func (l *live) show(page int) {
	l.page, l.help, l.scroll, l.moved = page%len(l.pages), false, 0, false
}

func (l *live) stop() {
	_, stopping := l.subject.clock()
	hard := l.asked || stopping
	l.asked = true
	if l.opts.OnStop != nil {
		l.opts.OnStop(hard)
	}
}

// View gives what draw has drawn.
func (l *live) View() tea.View {
	v := tea.NewView(l.content)
	v.AltScreen = true
	v.DisableBracketedPasteMode = true
	return v
}

func (l *live) draw() { l.content = l.compose(l.subject.body, l.footer) }

// footer is the keys, and which page this is.
func (l *live) footer() *line {
	w := l.words
	elapsed, stopping := l.subject.clock()
	stop, pause, held := w.keyStop, w.keyPause, ""
	if l.asked || stopping {
		stop = w.keyStopHard
	}
	if l.paused {
		pause, held = w.keyResume, w.paused+" "+unit.Clock(elapsed)
	}
	page := l.page
	if l.help {
		page = -1
	}
	return l.keys(held, [][2]string{{"q", stop}, {"p", pause}, {"tab", w.keyViews}, {"?", w.keyHelp}}, l.pages, page)
}

// helpColumn is where what a key or a word means begins, behind the longest of them.
const helpColumn = 15

// helpRows are what keys and words mean.
func (l *live) helpRows(n int) []*line {
	out := []*line{l.title(l.width, l.words.keyHelp)}
	for _, h := range l.keyHelp {
		row := newLine(l.width).text("", " ").text(l.colour.title, h[0])
		out = append(out, row.to(max(helpColumn, row.w+1)).text("", h[1]))
	}
	return filled(out, n, l.width)
}
