package tui

import (
	"sync"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
)

// ExperimentFrame is an experiment of many runs at one instant: all that is shown of
// it. It is a plain value, as Frame is, and what it points to must not be changed after
// it was handed over. Texts may be hostile; they are escaped here.
type ExperimentFrame struct {
	// Done of Of runs have been made, in Round of Rounds (from 1) the next one is.
	Done, Of      int
	Round, Rounds int
	// Elapsed since it began, and about how long the rest takes; 0 where there is none.
	Elapsed, Left time.Duration
	// Stopping: the user asked for the end, so the next `q` is the hard one.
	Stopping bool

	// Variant is what the run under way has, Now the run itself.
	Variant string
	Now     Frame

	// Effects are what is known so far, by metric; Made tells of the runs that were
	// made, the last one first.
	Effects  []EffectLine
	Made     []string
	Warnings []string
}

// EffectLine is what a variant changes in a metric, as far as is known, in words of the
// report. Metric is empty below the first of each metric; the baseline has no change.
type EffectLine struct {
	Metric, Variant, Measured string
	Change, Bounds, Verdict   string
	Needs                     string // what it would take to tell, where there is room for it
	Sign                      Sign
}

// Sign is which way a verdict points.
type Sign uint8

// The signs.
const (
	Undecided Sign = iota
	Better
	Worse
	Same
)

// Experiment is the live view of an experiment. Its methods are safe for concurrent
// use; Run is called once.
type Experiment struct {
	*display
	feed *experimentFeed
}

// NewExperiment makes the view of an experiment; the scenario of the options is what all
// of its runs have in common. Nothing is drawn before Run.
func NewExperiment(opts Options) *Experiment {
	d := &experimentFeed{fresh: make(chan struct{}, 1), run: newFeed()}
	return &Experiment{display: newDisplay(&opts, newExperimentModel(opts, d), d.fresh, &d.cells), feed: d}
}

// Update hands over the newest frame. It never blocks.
func (e *Experiment) Update(f ExperimentFrame) { e.feed.put(f) }

// experimentFeed is the mailbox between the caller and the view.
type experimentFeed struct {
	fresh chan struct{}
	cells atomic.Int64

	mu    sync.Mutex
	frame ExperimentFrame
	run   *feed // of the run under way: another for each
	made  int   // runs before it
}

func (d *experimentFeed) put(f ExperimentFrame) {
	d.mu.Lock()
	if d.made != f.Done {
		d.run, d.made = newFeed(), f.Done
	}
	d.frame = f
	d.run.put(f.Now)
	d.mu.Unlock()
	select {
	case d.fresh <- struct{}{}:
	default:
	}
}

// The views of an experiment that tab goes through.
const (
	effectsView = iota
	runsView
	nowView

	experimentViews = 3
)

// experimentModel is the Bubble Tea model of an experiment. It is only ever touched by
// the program's own goroutine.
type experimentModel struct {
	canvas

	opts Options
	feed *experimentFeed

	frame        ExperimentFrame
	now          *model // draws the run under way
	view         int
	scroll       int // rows of the table above the first that is shown
	page         int // rows of it that were shown last
	help, paused bool
	asked        bool

	content string
}

func newExperimentModel(opts Options, d *experimentFeed) *experimentModel {
	m := &experimentModel{canvas: newCanvas(opts.Lang), opts: opts, feed: d, now: newModel(opts, d.run)}
	m.draw()
	return m
}

// Init asks whether the terminal is light or dark.
func (m *experimentModel) Init() tea.Cmd { return tea.RequestBackgroundColor }

// Update takes a key, a new size or a new frame.
func (m *experimentModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case freshMsg:
		if m.paused {
			return m, nil
		}
		m.take()
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

// take takes what the feed holds.
func (m *experimentModel) take() {
	m.feed.mu.Lock()
	m.frame = m.feed.frame
	m.now.feed = m.feed.run
	m.feed.mu.Unlock()
	m.now.frame = m.frame.Now
}

// key acts on a key and tells whether there is something to draw.
func (m *experimentModel) key(k string) bool {
	switch k {
	case "q", "Q", "ctrl+c", "\uff51":
		hard := m.asked || m.frame.Stopping
		m.asked = true
		if m.opts.OnStop != nil {
			m.opts.OnStop(hard)
		}
	case "p", "P", "\uff50", "space":
		if m.paused = !m.paused; !m.paused {
			m.take()
		}
	case "tab", "right":
		m.show((m.view + 1) % experimentViews)
	case "shift+tab", "left":
		m.show((m.view + experimentViews - 1) % experimentViews)
	case "1", "2", "3":
		m.show(int(k[0] - '1'))
	case "down", "j":
		m.scroll++
	case "up", "k":
		m.scroll--
	case "pgdown":
		m.scroll += max(m.page-1, 1)
	case "pgup":
		m.scroll -= max(m.page-1, 1)
	case "home", "g":
		m.scroll = 0
	case "?", "\uff1f", "h":
		m.help = !m.help
	case "esc":
		m.help = false
	default:
		return false
	}
	return true
}

func (m *experimentModel) show(view int) { m.view, m.help, m.scroll = view, false, 0 }

// View gives what draw has drawn.
func (m *experimentModel) View() tea.View { return shown(m.content) }

func (m *experimentModel) draw() { m.content = m.compose(m.body, m.footer) }
