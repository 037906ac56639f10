#!/usr/bin/env bash
# Run built-in scenarios and hold each to the verdict that its header announces.
#   library.sh          all of them, once
#   library.sh short    those that gate a change, most of them in their short form
# ROUNDS=3 runs each so many times, JOBS=2 two side by side, ONLY="a b" no others.
# In the short form those that use a fraction of a core run three side by side.
# OUT keeps the results in a folder of that name.
set -euo pipefail
cd "$(dirname "$0")/.."
form=${1:-full}
out=${OUT:-$(mktemp -d)}
[ -n "${OUT:-}" ] || trap 'rm -rf "$out"' EXIT
whole=" smoke midnight-sale steady-200 tuning-stages "      # run whole for every change
busy=" midnight-sale steady-200 tuning-stages "             # use the machine up: run alone

one() { # name
	local name=$1 header verdict set right=() want code round
	header=$(bin/cstest scenarios show "$name")
	verdict=$(sed -n 's/^# Verdict: //p' <<<"$header")
	set=$(sed -n 's/^# Shortened: //p' <<<"$header")
	[ "$form" = short ] && [ -n "$set" ] && right=(--set "$set")
	case $verdict in
	pass) want=" 0 " ;;
	fail) want=" 10 " ;;
	inconclusive) want=" 11 " ;;
	# A closed loop measures a machine more than a server: that it ends with a
	# verdict on evidence is all that can be known beforehand.
	"measures the machine") want=" 0 10 11 " ;;
	*) echo "$name: announces verdict '$verdict'"; return 1 ;;
	esac
	for round in $(seq "${ROUNDS:-1}"); do
		code=0
		bin/cstest run "$name" --no-tui --quiet --results-dir "$out/$name-$round" ${right[@]+"${right[@]}"} >"$out/$name-$round.log" 2>&1 || code=$?
		case $want in
		*" $code "*) echo "$name: exit $code, as announced ($verdict)" ;;
		*)
			echo "$name: exit $code, announced: $verdict"
			bin/cstest report "$out/$name-$round" --no-color || cat "$out/$name-$round.log"
			return 1
			;;
		esac
	done
}
export -f one
export form out ROUNDS

mkdir -p "$out"
names=()
while read -r name; do
	if [ -n "${ONLY:-}" ]; then
		case " $ONLY " in *" $name "*) ;; *) continue ;; esac
	elif [ "$form" = short ]; then
		case "$whole" in *" $name "*) ;; *) bin/cstest scenarios show "$name" | grep -q '^# Shortened: ' || continue ;; esac
	fi
	names+=("$name")
done < <(bin/cstest scenarios --names)
side_by_side() { # jobs name...
	local jobs=$1
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | xargs -P "$jobs" -I{} bash -c 'set -euo pipefail; one {}'
}
light=() heavy=()
for name in ${names[@]+"${names[@]}"}; do
	if [ "$form" = short ] && [[ "$busy" != *" $name "* ]]; then light+=("$name"); else heavy+=("$name"); fi
done
side_by_side "${JOBS:-3}" ${light[@]+"${light[@]}"}
side_by_side "${JOBS:-1}" ${heavy[@]+"${heavy[@]}"}
