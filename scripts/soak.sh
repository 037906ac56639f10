#!/usr/bin/env bash
# Run the built-in scenario soak for FOR (1h), into a folder of its own below results/.
# The last KEEP (3) of these are kept. Within a folder only the journal and the result
# grow, with the seconds of the run; see docs/scenarios.md. Prints what it took.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=results/soak-$(date -u +%Y%m%dT%H%M%SZ)
code=0
bin/cstest run soak --set "load.stages[soak].for=${FOR:-1h}" --no-tui --results-dir "$dir" || code=$?
scripts/keep.sh soak "${KEEP:-3}"
du -ab "$dir" | sort -k2
exit "$code"
