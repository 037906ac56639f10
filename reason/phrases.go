package reason

import "sync"

// phraseRow is a format as it stands in the source, and in Chinese, where its
// arguments may be taken in another order (%[2]s).
type phraseRow struct{ en, zh string }

// phrases are the formats in Chinese by the English ones; it is made once and
// then only read.
var phrases = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for _, r := range phraseTable() {
		out[r.en] = r.zh
	}
	return out
})

// phraseTable is every row, by who says it.
func phraseTable() []phraseRow {
	var all []phraseRow
	for _, group := range [][]phraseRow{
		quantityPhrases(),
		templatePhrases(),
		filePhrases(),
		fieldPhrases(),
		generalPhrases(),
		targetPhrases(),
		mappingPhrases(),
		answerPhrases(),
		modelPhrases(),
		loadPhrases(),
		variablePhrases(),
		objectivePhrases(),
		importPhrases(),
		usagePhrases(),
		resultPhrases(),
		directoryPhrases(),
		enginePhrases(),
		planPhrases(),
		clientPhrases(),
		shapePhrases(),
		groupPhrases(),
		selftestPhrases(),
		outputPhrases(),
		observePhrases(),
		derivePhrases(),
		socketPhrases(),
		openAIPhrases(),
	} {
		all = append(all, group...)
	}
	return all
}
