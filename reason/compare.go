package reason

// What is to be known of results that are compared.
const (
	KnobDiffers      Code = "knob_differs"
	ValueDiffers     Code = "value_differs"
	Differs          Code = "differs"
	SideDiffers      Code = "side_differs"
	AdviseSeveral    Code = "advise_several"
	AdviseRuns       Code = "advise_runs"
	AdvisePairs      Code = "advise_pairs"
	BaselineEmpty    Code = "baseline_empty"
	BaselineOthers   Code = "baseline_others"
	BaselineTook     Code = "baseline_took"
	BaselineHas      Code = "baseline_has"
	BaselineRefuses  Code = "baseline_refuses"
	BaselineNotWorse Code = "baseline_not_worse"
	TrendOthers      Code = "trend_others"
	TrendFew         Code = "trend_few"
	TrendNone        Code = "trend_none"
)

func comparisonRows() []row {
	return []row{
		{KnobDiffers, "knob {knob:text}: {baseline:quoted} and {candidate:quoted}", "参数 {knob}：{baseline} 与 {candidate}"},
		{ValueDiffers, "{key:text}: {baseline:quoted} and {candidate:quoted}", "{key}：{baseline} 与 {candidate}"},
		{Differs, "{what:word}: {baseline:quoted} and {candidate:quoted}", "{what}：{baseline} 与 {candidate}"},
		{SideDiffers, "the runs of the {side:word} are not alike: {what:reasons}", "{side}的各次运行并不相同：{what}"},
		{AdviseSeveral, "how far runs lie apart by chance is not known: run each side {runs:count} times at least, alternately, and compare the two folders", "多次运行之间的偶然差异未知：请交替运行，每侧至少 {runs} 次，再对比两个文件夹"},
		{AdviseRuns, "to tell {change:share} of {metric:word}, which scatters by {scatter:share} from run to run, takes about {runs:count} runs a side", "{metric}在运行之间离散 {scatter}，要判断 {change} 的差异，每侧约需 {runs} 次运行"},
		{AdvisePairs, "to tell {change:share} of {metric:word}, which scatters by {scatter:share} from run to run, takes more than {runs:count} runs a side: `cstest tune` compares in pairs, which takes fewer, and a quieter machine scatters less", "{metric}在运行之间离散 {scatter}，要判断 {change} 的差异，每侧需 {runs} 次以上运行：`cstest tune` 成对比较，所需更少；更安静的机器离散也更小"},
		{BaselineEmpty, "{dir:text} holds no accepted result of this scenario: `cstest compare --accept --baseline {again:text} RESULT` takes the first", "{dir} 中还没有该场景的已接受结果：用 `cstest compare --accept --baseline {again} RESULT` 接受第一个"},
		{BaselineOthers, "{n:count} accepted results are left out, for they were asked something else", "有 {n} 个已接受的结果未用于对比，因为它们的场景不同"},
		{BaselineTook, "{run:text} is accepted: it is part of the baseline in {dir:text} from now on", "已接受 {run}：从现在起它属于 {dir} 中的基线"},
		{BaselineHas, "{run:text} is accepted already", "{run} 早已接受"},
		{BaselineRefuses, "{run:text} is {verdict:word}: it measured nothing to hold others against, and is not accepted", "{run} {verdict}：它没有可供他人对照的测量，不予接受"},
		{BaselineNotWorse, "{run:text} is worse than the baseline and not accepted: --force makes it the new measure all the same", "{run} 比基线更差，不予接受：若仍要以它为新的尺度，请加 --force"},
		{TrendOthers, "{n:count} runs of {scenario:quoted} are left out, for they were asked something else than the newest run", "场景 {scenario} 的 {n} 次运行未包括在内，因为它们与最新一次运行的场景不同"},
		{TrendFew, "{n:count} runs that measured something: a change is told from chance from about {needed:count} on", "只有 {n} 次运行有测量：约需 {needed} 次才能把变化与偶然区分开"},
		{TrendNone, "none of the runs given can be read: give result directories, or folders of them", "给出的运行都无法读取：请给出结果目录，或包含结果目录的文件夹"},
	}
}
