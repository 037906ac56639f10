package tui

// ExperimentFrame is an experiment of many runs at one instant: all that is shown of
// it. It is a plain value, as Frame is, and what it points to must not be changed after
// it was handed over. Texts may be hostile; they are escaped here.
type ExperimentFrame struct {
	Series

	Round, Rounds int // from 1, the one that the next run is in
	// Effects are what is known so far, by metric.
	Effects []EffectLine
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
	*seriesFeed[ExperimentFrame]
}

// NewExperiment makes the view of an experiment; the scenario of the options is what all
// of its runs have in common. Nothing is drawn before Run.
func NewExperiment(opts Options) *Experiment {
	d := newSeriesFeed[ExperimentFrame]()
	return &Experiment{newDisplay(&opts, newExperimentModel(opts, d), &d.mailbox), d}
}

// experimentModel draws an experiment: effects, runs, and the run under way.
type experimentModel struct{ seriesModel[ExperimentFrame] }

func newExperimentModel(opts Options, d *seriesFeed[ExperimentFrame]) *experimentModel {
	m := &experimentModel{newSeriesModel(opts, d)}
	m.subject, m.pages, m.keyHelp = m, m.words.experimentPages[:], m.words.experimentHelp
	m.draw()
	return m
}
