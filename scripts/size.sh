#!/usr/bin/env bash
# Fail where the stripped binary has more than so many MB (36), and say what weighs.
set -euo pipefail
cd "$(dirname "$0")/.."
most=${1:-36}
mkdir -p bin
go build -ldflags='-s -w' -o bin/cstest-stripped ./cmd/cstest
size=$(stat -c %s bin/cstest-stripped 2>/dev/null || stat -f %z bin/cstest-stripped)
printf 'the stripped binary has %d.%d MB of %d\n' $((size / 1000000)) $((size / 100000 % 10)) "$most"
if [ "$size" -gt $((most * 1000000)) ]; then
	cat >&2 <<'X'
It has grown by what was not meant. A program that calls a method whose name it only
knows at run time (text/template, reflect2) keeps every method of every type it has:
docs/decisions/017-binary.md says how to find the caller.
X
	exit 1
fi
