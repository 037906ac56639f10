#!/usr/bin/env bash
# Run every native fuzz target of the module for FUZZTIME each (10s). What they
# have found interesting is kept beside them, in testdata/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."

# Whatever comes from outside is read by one of these: none may get lost.
required="
scenario FuzzParse
scenario FuzzTable
scenario FuzzCurve
template FuzzParse
template FuzzParseJSON
scenario FuzzImport
derive FuzzRecorded
derive FuzzDescribed
driver FuzzDecodeResponse
driver/internal/http2 FuzzHTTP2
driver/internal/jsonscan FuzzScan
driver FuzzSSE
driver FuzzTools
driver/internal/find FuzzConditions
driver/internal/ndjson FuzzLines
driver/internal/websocket FuzzFrames
driver/internal/socketio FuzzPackets
measure/hdrlog FuzzRead
measure FuzzSpool
measure FuzzReadJournal
measure FuzzDecodeSnapshot
load FuzzText
load FuzzClassify
load FuzzServerTiming
result FuzzParse
report FuzzText
mockllm FuzzDecodeRequest
mockllm FuzzAPIs
mockllm FuzzSchema
mockllm/config FuzzParseConfig
mockllm/config FuzzParseOverride
reference-server/surface FuzzDecodeRequest
reference-server/backflow FuzzDecode
reference-server/dialog FuzzFold
reference-server/dialog FuzzScanRecord
reference-server/gray FuzzRelease
reference-server/model FuzzAnswer
reference-server/answer FuzzClean
reference-server/answer FuzzReply
reference-server/pii FuzzMask
"
targets=$(git ls-files '*_test.go' | xargs grep -oE '^func Fuzz[A-Za-z0-9_]+' | sed -E 's|/[^/]*:func | |')
while read -r package target; do
	[ -z "$package" ] && continue
	grep -qx "$package $target" <<<"$targets" || { echo "fuzz target $target of ./$package is gone" >&2; exit 1; }
done <<<"$required"

# Two at a time, each with one worker: as much fuzzing as one with two, in half the time.
# Go sometimes fails a target for the end of its time alone ("context deadline exceeded",
# no failing input): that is tried again, everything else is not.
fuzz() {
	local log
	for _ in 1 2 3; do
		if log=$(go test -run '^$' -fuzz "^$2\$" -fuzztime "${FUZZTIME:-10s}" -fuzzminimizetime 2s -parallel 1 "./$1" 2>&1); then
			echo "fuzz $2 ($1): $(grep -oE 'execs: [0-9]+' <<<"$log" | tail -1)"
			return 0
		fi
		grep -q 'Failing input written' <<<"$log" && break
		grep -qE '^ +context deadline exceeded$' <<<"$log" || break
	done
	printf 'fuzz %s (%s) failed:\n%s\n' "$2" "$1" "$log"
	return 1
}
export -f fuzz
xargs -P 2 -L 1 bash -c 'fuzz "$0" "$1"' <<<"$targets"
echo "$(wc -l <<<"$targets") fuzz targets"
