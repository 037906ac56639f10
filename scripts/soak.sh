#!/usr/bin/env bash
# Run the built-in scenario soak for FOR (1h), into a folder of its own below results/.
# 180 customers a second fill in a quarter of an hour what is kept on purpose of the last
# so many: 131,072 dialogs in the server, 524,288 turns in the mock LLM. What grows behind
# it leaks.
# The last KEEP (3) of these are kept. Within a folder only the journal and the result
# grow, with the seconds of the run; see docs/scenarios.md. Prints what each process held
# (growth.csv) and what the run took. Fails when the run does, or when a process held more
# and more descriptors, goroutines or memory.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=results/soak-$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p results
code=0 grew=0
growth=$(mktemp)
bin/cstest run soak --set "load.stages[soak].for=${FOR:-1h}" --set 'load.stages[soak].starts=180/s' --no-tui --results-dir "$dir" &
run=$!
scripts/growth.py "$run" "$growth" &
watch=$!
trap 'kill -TERM "$run"' INT TERM # an interrupt is nothing to what runs in the background
wait "$run" || code=$?
wait "$watch" || grew=$?
mv "$growth" "$dir/growth.csv"
scripts/keep.sh soak "${KEEP:-3}"
du -ab "$dir" | sort -k2
[ "$code" != 0 ] || code=$grew
exit "$code"
