#!/usr/bin/env bash
# Run every native fuzz target of the module for FUZZTIME each (10s). What they
# have found interesting is kept beside them, in testdata/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."

# Whatever comes from outside is read by one of these: none may get lost.
required="
scenario FuzzParse
scenario FuzzTable
scenario FuzzBody
scenario FuzzImport
driver FuzzDecodeResponse
driver FuzzHTTP2
driver FuzzScan
driver FuzzSSE
measure FuzzReadLog
measure FuzzReadJournal
measure FuzzDecodeSnapshot
load FuzzText
load FuzzClassify
report FuzzParseJSON
"
targets=$(git ls-files '*_test.go' | xargs grep -oE '^func Fuzz[A-Za-z0-9_]+' | sed -E 's|/[^/]*:func | |')
while read -r package target; do
	[ -z "$package" ] && continue
	grep -qx "$package $target" <<<"$targets" || { echo "fuzz target $target of ./$package is gone" >&2; exit 1; }
done <<<"$required"

found=0
while read -r package target; do
	found=$((found + 1))
	echo "fuzz $target ($package)"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" -fuzzminimizetime 2s "./$package"
done <<<"$targets"
echo "$found fuzz targets"
