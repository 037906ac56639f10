package tui

import "time"

// Series is where runs that follow one another are, whatever they are for: what the
// views of many runs have in common.
type Series struct {
	Done int // runs that were made
	Of   int // as many as there will be; with AtLeast, as many as there will be at least
	// Elapsed since it began, and about how long the rest takes; 0 where there is none.
	Elapsed, Left time.Duration
	// AtLeast: more runs than Of may follow, and take longer than Left.
	AtLeast bool
	// Stopping: the user asked for the end, so the next `q` is the hard one.
	Stopping bool

	// Running is what the run under way has, Now the run itself.
	Running string
	Now     Frame

	// Made tells of the runs that were made, the last one first.
	Made     []string
	Warnings []string
}

func (s Series) series() Series { return s }

// ofRuns is a frame that tells of a series.
type ofRuns interface{ series() Series }

// seriesFeed is the mailbox of a view of many runs.
type seriesFeed[F ofRuns] struct {
	mailbox

	frame F
	run   *feed // of the run under way: another for each
	made  int   // runs before it
}

func newSeriesFeed[F ofRuns]() *seriesFeed[F] {
	return &seriesFeed[F]{mailbox: mailbox{fresh: make(chan struct{}, 1)}, run: newFeed()}
}

// Update hands over the newest frame. It never blocks.
func (d *seriesFeed[F]) Update(f F) {
	s := f.series()
	d.put(func() {
		if d.made != s.Done {
			d.run, d.made = newFeed(), s.Done
		}
		d.frame = f
		d.run.Update(s.Now)
	})
}

// seriesModel is the model of a view of many runs. Its last page is the run under way.
type seriesModel[F ofRuns] struct {
	live

	feed  *seriesFeed[F]
	frame F
	at    Series // of frame
	now   *model // draws the run under way
}

func newSeriesModel[F ofRuns](opts Options, d *seriesFeed[F]) seriesModel[F] {
	return seriesModel[F]{live: live{canvas: newCanvas(opts.Lang), opts: opts, box: &d.mailbox}, feed: d, now: newModel(opts, d.run)}
}

func (m *seriesModel[F]) take() {
	m.feed.mu.Lock()
	m.frame = m.feed.frame
	m.now.feed = m.feed.run
	m.feed.mu.Unlock()
	m.at = m.frame.series()
	m.now.frame = m.at.Now
}

func (m *seriesModel[F]) clock() (time.Duration, bool) { return m.at.Elapsed, m.at.Stopping }

// allMade tells whether no run is to come.
func (m *seriesModel[F]) allMade() bool { return m.at.Done >= m.at.Of && m.at.Of > 0 }
