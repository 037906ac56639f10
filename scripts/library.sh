#!/usr/bin/env bash
# Run the built-in scenarios in full. Those that judge the bundled server must
# pass; of the closed loops, which measure a machine more than a server, CI wants
# to know that they run and come to a verdict on evidence.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
run() { # name, exit codes that are right, arguments
	local name=$1 right=$2 code=0
	shift 2
	bin/cstest run "$name" --no-tui --quiet --results-dir "$out/$name" "$@" || code=$?
	case " $right " in
	*" $code "*) echo "$name: exit $code" ;;
	*)
		echo "$name: exit $code, want one of: $right"
		bin/cstest report "$out/$name" --no-color || true
		return 1
		;;
	esac
}
known=" smoke midnight-sale steady-200 tuning-stages "
while read -r name _; do
	case "$known" in *" $name "*) ;; *) echo "scenario $name is not in scripts/library.sh"; exit 1 ;; esac
done < <(bin/cstest scenarios)
run smoke "0"
run midnight-sale "0"
run steady-200 "0 10 11"
run tuning-stages "0 10 11"
