package tui

import (
	"cmp"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// The views that tab goes through.
const (
	overview = iota
	turnsView
	objectivesView

	viewCount = 3
)

// freshMsg says that the feed has something new.
type freshMsg struct{}

// model is the Bubble Tea model. It is only ever touched by the program's own goroutine.
type model struct {
	canvas

	opts Options
	feed *feed

	frame        Frame
	view         int
	help, paused bool
	asked        bool // for the end, on this keyboard

	content string // drawn, until something changes
}

func newModel(opts Options, d *feed) *model {
	m := &model{canvas: newCanvas(opts.Lang), opts: opts, feed: d}
	m.draw()
	return m
}

// Init asks whether the terminal is light or dark.
func (m *model) Init() tea.Cmd { return tea.RequestBackgroundColor }

// Update takes a key, a new size or a new frame.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case freshMsg:
		if m.paused {
			return m, nil
		}
		m.feed.mu.Lock()
		m.frame = m.feed.frame
		m.feed.mu.Unlock()
	case tea.WindowSizeMsg:
		m.width, m.height = max(msg.Width, 0), max(msg.Height, 0)
		m.feed.cells.Store(int64(m.width) * int64(m.height))
	case tea.BackgroundColorMsg:
		m.colour = newPalette(msg.IsDark())
	case tea.KeyPressMsg:
		if !m.key(msg.String()) {
			return m, nil
		}
	default:
		return m, nil
	}
	m.draw()
	return m, nil
}

// key acts on a key and tells whether there is something to draw. Keys typed
// with a Chinese input method in full width count too.
func (m *model) key(k string) bool {
	switch k {
	case "q", "Q", "ctrl+c", "\uff51":
		m.stop()
	case "p", "P", "\uff50", "space":
		m.paused = !m.paused
		if !m.paused {
			m.feed.mu.Lock()
			m.frame = m.feed.frame
			m.feed.mu.Unlock()
		}
	case "tab", "right":
		m.view, m.help = (m.view+1)%viewCount, false
	case "shift+tab", "left":
		m.view, m.help = (m.view+viewCount-1)%viewCount, false
	case "1", "2", "3":
		m.view, m.help = int(k[0]-'1'), false
	case "?", "\uff1f", "h":
		m.help = !m.help
	case "esc":
		m.help = false
	default:
		return false
	}
	return true
}

func (m *model) stop() {
	hard := m.asked || m.frame.Stopping
	m.asked = true
	if m.opts.OnStop != nil {
		m.opts.OnStop(hard)
	}
}

// View gives what draw has drawn.
func (m *model) View() tea.View { return shown(m.content) }

func (m *model) draw() { m.content = m.compose(m.body, m.footer) }

// columns reads the run's course under the feed's lock.
func (m *model) columns(n int) []tally {
	m.feed.mu.Lock()
	defer m.feed.mu.Unlock()
	return m.feed.history.columns(n, m.frame.Total, m.frame.Elapsed)
}

// recovery is how long after a storm things may take to be well again.
func (m *model) recovery() time.Duration {
	const unasked = 10 * time.Second
	var asked time.Duration
	for _, o := range m.objectives() {
		if o.Kind == scenario.KindRecoveryLatency || o.Kind == scenario.KindRecoveryQuality {
			asked = max(asked, o.Limit.D(), time.Second)
		}
	}
	return cmp.Or(asked, unasked)
}

// limit is the shortest latency budget of a quantile; 0: none.
func (m *model) limit(quantile string) time.Duration {
	share, err := unit.ParseShare(strings.TrimPrefix(quantile, "p") + "%")
	if err != nil {
		return 0
	}
	var shortest time.Duration
	for _, o := range m.objectives() {
		if o.Kind == scenario.KindLatency && o.Target == share && (shortest == 0 || o.Limit.D() < shortest) {
			shortest = o.Limit.D()
		}
	}
	return shortest
}

// objectives are what the run is judged by, of both forms of the SLA.
func (m *model) objectives() []scenario.Objective {
	if m.opts.Scenario == nil {
		return nil
	}
	return m.opts.Scenario.Objectives()
}
