#!/usr/bin/env bash
# Run every native fuzz target of the module for FUZZTIME each.
set -euo pipefail
cd "$(dirname "$0")/.."
found=0
while IFS=: read -r file target; do
	found=$((found + 1))
	echo "fuzz $target ($(dirname "$file"))"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" "./$(dirname "$file")"
done < <(git ls-files '*_test.go' | xargs grep -oE '^func Fuzz[A-Za-z0-9_]+' | sed 's/func //')
echo "$found fuzz targets"
[ "$found" -gt 0 ]
