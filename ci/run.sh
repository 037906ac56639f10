#!/usr/bin/env bash
# One run of cstest as a CI job: the run, its annotations and formats beside the
# results, and the comparison with a baseline. Exits with the verdict of the run, or
# that of the comparison where the run passes and CSTEST_COMPARE is "fail".
#
#   CSTEST            the binary                                   cstest
#   CSTEST_SCENARIO   a built-in scenario's name, or a file        cstest.yaml
#   CSTEST_ARGS       further arguments of cstest run, split at blanks
#   CSTEST_RESULTS    folder of the results; a run's there goes    cstest-results
#   CSTEST_BASELINE   folder of accepted results to compare with
#   CSTEST_ACCEPT     yes: take this result into the baseline, unless it is worse
#   CSTEST_COMPARE    warn: a worse result is told; fail: it fails the job
set -uo pipefail
cstest=${CSTEST:-cstest}
results=${CSTEST_RESULTS:-cstest-results}
# Left set, cstest would take them for its own flags (CSTEST_<NAME>).
scenario=${CSTEST_SCENARIO:-cstest.yaml} arguments=${CSTEST_ARGS:-} baseline=${CSTEST_BASELINE:-} accept=${CSTEST_ACCEPT:-} compare=${CSTEST_COMPARE:-warn}
unset CSTEST_SCENARIO CSTEST_ARGS CSTEST_RESULTS CSTEST_BASELINE CSTEST_ACCEPT CSTEST_COMPARE CSTEST

# Only what a run left there goes: cstest refuses any other folder that is in use.
if [ -f "$results/scenario.yaml" ] || [ -f "$results/junit.xml" ]; then rm -rf "$results"; fi
read -ra more <<<"$arguments"
"$cstest" run "$scenario" --no-tui --results-dir "$results" ${more[@]+"${more[@]}"}
code=$?

# What could not be judged has no result to print: the log above says why.
if [ -f "$results/result.json" ]; then
	"$cstest" report "$results" --format openmetrics -o "$results/metrics.txt" >/dev/null
	"$cstest" report "$results" --format load-performance -o "$results/load-performance.json" >/dev/null
	"$cstest" report "$results" --format benchmark-json -o "$results/benchmark.json" >/dev/null
	[ -z "${GITHUB_ACTIONS:-}" ] || "$cstest" report "$results" --format github
fi

worse=0
if [ -n "$baseline" ] && [ -f "$results/result.json" ]; then
	take=()
	[ "$accept" != yes ] || take=(--accept)
	"$cstest" compare --baseline "$baseline" "$results" --format markdown ${take[@]+"${take[@]}"} >"$results/compare.md"
	worse=$?
	cat "$results/compare.md"
	[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$results/compare.md" >>"$GITHUB_STEP_SUMMARY"
	[ "$compare" = fail ] && [ "$worse" = 10 ] && [ "$code" = 0 ] && code=10
fi

if [ -n "${GITHUB_OUTPUT:-}" ]; then
	verdict=$(sed -n 's/^  "verdict": "\([a-z_]*\)",$/\1/p' "$results/result.json" 2>/dev/null)
	{
		echo "exit-code=$code"
		echo "verdict=${verdict:-none}"
		echo "compare=$worse"
		echo "results=$results"
	} >>"$GITHUB_OUTPUT"
fi
exit "$code"
