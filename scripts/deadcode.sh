#!/usr/bin/env bash
# Fail on every function that no command can reach, but those that
# scripts/deadcode.allow names with a reason; and on a name there that is reached.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=bin/deadcode
[ -x $tool ] || GOBIN=$PWD/bin go install golang.org/x/tools/cmd/deadcode@v0.52.0
found=$($tool ./... | sed -E 's|^([^:]*):[0-9:]+ unreachable func: |\1 |' | LC_ALL=C sort)
allowed=$(sed -E 's/ *#.*//; /^$/d' scripts/deadcode.allow | LC_ALL=C sort)
dead=$(LC_ALL=C comm -23 <(echo "$found") <(echo "$allowed"))
alive=$(LC_ALL=C comm -13 <(echo "$found") <(echo "$allowed"))
[ -z "$dead" ] || printf 'not reached by any command: delete, or name it in scripts/deadcode.allow with a reason:\n%s\n' "$dead" >&2
[ -z "$alive" ] || printf 'reached or gone: take out of scripts/deadcode.allow:\n%s\n' "$alive" >&2
[ -z "$dead$alive" ]
