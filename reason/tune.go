package reason

// What an experiment says of its variants and runs.
const (
	VaryForm       Code = "vary_form"
	VaryEmpty      Code = "vary_empty"
	VaryTwice      Code = "vary_twice"
	VaryOne        Code = "vary_one"
	VaryTooMany    Code = "vary_too_many"
	VaryNothing    Code = "vary_nothing"
	VariantRefused Code = "variant_refused"
	VariantsSame   Code = "variants_same"
	RunNotUsed     Code = "run_not_used"
	RunsLeftOut    Code = "runs_left_out"
	RunsMadeAgain  Code = "runs_made_again"
	ArmInvalid     Code = "arm_invalid"
	ControlDiffers Code = "control_differs"
	TooFewRounds   Code = "too_few_rounds"
	TunePlan       Code = "tune_plan"

	PlanTooFewRounds  Code = "plan_too_few_rounds"
	PlanFewerVariants Code = "plan_fewer_variants"

	VariantUnknown     Code = "variant_unknown"
	VariantsMissing    Code = "variants_missing"
	VariantNotRestored Code = "variant_not_restored"

	CommandFailed   Code = "command_failed"
	CommandTooLong  Code = "command_too_long"
	VariantNotReady Code = "variant_not_ready"
)

func tuneRows() []row {
	return []row{
		{VaryForm, "--vary {text:quoted}: write KEY=a,b,c, for example profile=article-0,hardened or llm.latency.median=50ms,110ms", "--vary {text}：请写成 KEY=a,b,c，例如 profile=article-0,hardened 或 llm.latency.median=50ms,110ms"},
		{VaryEmpty, "--vary {key:text}: a value is empty", "--vary {key}：有一个值为空"},
		{VaryTwice, "--vary {key:text}: {value:text} is given twice", "--vary {key}：{value} 写了两次"},
		{VaryOne, "--vary {key:text}: two values at least, the first is the baseline", "--vary {key}：至少两个值，第一个为基线"},
		{VaryTooMany, "--vary: more than {most:count} variants: vary fewer keys or values at a time", "--vary：变体超过 {most} 个：请一次少改几个键或值"},
		{VaryNothing, "tune needs --vary KEY=a,b,c: what shall differ?", "tune 需要 --vary KEY=a,b,c：要改变什么？"},
		{VariantRefused, "variant {variant:text}: {why:reasons}", "变体 {variant}：{why}"},
		{VariantsSame, "variants {one:text} and {other:text} are the same scenario: the values mean the same, or another flag or the target leaves the key without effect", "变体 {one} 与 {other} 是同一个场景：两个值含义相同，或者其他选项、被测系统使该键不起作用"},
		{RunNotUsed, "the run is {verdict:word}", "该次运行{verdict}"},
		{RunsLeftOut, "{variant:text}: {left:count} of {runs:count} runs are left out: {why:reasons}", "{variant}：{runs} 次运行中有 {left} 次未采用：{why}"},
		{RunsMadeAgain, "{runs:count} runs measured nothing and were made again at the end of their round", "{runs} 次运行没有有效测量，已在该回合末尾重做"},
		{ArmInvalid, "{variant:text} is not compared: {left:count} of {runs:count} runs measured nothing: {why:reasons}", "{variant} 不参与比较：{runs} 次运行中有 {left} 次没有有效测量：{why}"},
		{ControlDiffers, "{metric:word}: the baseline differs from itself, so no difference in it can be believed: something else on this machine changed", "{metric}：基线与自身也有差异，因此这一项的差异都不可信：这台机器上有别的变化"},
		{TooFewRounds, "{done:count} whole rounds are too few to show any difference: {least:count} are needed for {comparisons:count} comparisons", "{done} 个完整的回合不足以显示任何差异：{comparisons} 项比较需要 {least} 个"},
		{PlanTooFewRounds, "{rounds:count} rounds are too few to show any difference in up to {comparisons:count} comparisons: give --rounds {least:count}, or the verdict is that it cannot be told", "{rounds} 个回合不足以在最多 {comparisons} 项比较中显示任何差异：请用 --rounds {least}，否则结论只能是无法判断"},
		{PlanFewerVariants, "or vary fewer values: {rounds:count} rounds can do for {variants:count} variants", "或减少取值：{rounds} 个回合足够比较 {variants} 个变体"},
		{VariantUnknown, "--vary variant: the scenario has no variant {name:text}: its variants are {known:text}", "--vary variant：场景中没有变体 {name}；已有的变体为 {known}"},
		{VariantsMissing, "--vary variant={name:text}: the scenario has no variants: see docs/tune.md, or vary a field of it", "--vary variant={name}：场景中没有 variants：见 docs/tune.md，或改变它的某个字段"},
		{VariantNotRestored, "the server may not be as it was: variant {variant:text} could not be applied again: {why:reasons}", "服务器可能没有恢复原状：变体 {variant} 无法重新应用：{why}"},
		{CommandFailed, "apply {command:text}: {why:text}{said:text}", "应用命令 {command}：{why}{said}"},
		{CommandTooLong, "apply {command:text}: did not end within {within:duration}{said:text}", "应用命令 {command}：{within} 内没有结束{said}"},
		{VariantNotReady, "ready: {url:text} did not answer {status:text} within {within:duration}: {last:text}", "就绪检查：{url} 在 {within} 内没有应答 {status}：{last}"},
		{TunePlan, "{variants:count} variants and the baseline once more · {rounds:count} rounds · {runs:count} runs of {each:duration} · about {length:duration}", "{variants} 个变体，外加基线一次 · {rounds} 个回合 · 共 {runs} 次运行，每次 {each} · 约 {length}"},
	}
}
