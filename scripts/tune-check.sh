#!/usr/bin/env bash
# Hold `cstest tune` to what it says of itself, with real runs on this machine:
# a variant against itself is never better or worse in any metric, and one that
# costs 20 % of the mean is found. COUNT=20 experiments of the first kind, ROUNDS=10
# each, fewer bound nothing; JOBS=3 makes so many at a time; OUT keeps the results. An
# experiment takes about two minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${OUT:-$(mktemp -d)}
[ -n "${OUT:-}" ] || trap 'rm -rf "$out"' EXIT
mkdir -p "$out"
cat >"$out/short.yaml" <<'YAML'
version: 1
name: short
description: one
seed: 1
target:
  bundled: {profile: hardened, redis: embedded, knobs: {limit.global: 0/s, limit.user: 0/s, cache.hot: 0s}}
  timeout: 3s
llm: {latency: {median: 110ms, p99: 140ms}}
load:
  think: 0s
  stages:
    - {name: warmup, for: 1s, users: 20, judged: false}
    - {name: steady, for: 2s, users: 20}
  drain: 5s
conversations:
  - {name: invoice, turns: [{say: 发票可以开公司抬头吗？}, {say: 电子发票发到哪里？}, {say: 发票抬头写错了能改吗？}]}
checks: {memory: off}
sla: {gate: measured, latency: {p99: 2s}, availability: 95%}
YAML

verdicts() { # results-dir: arm, metric, verdict, change and its bounds, one to a line
	python3 -c 'import json, sys
for a in json.load(open(sys.argv[1]))["arms"]:
    for x in a["effects"]:
        print("again" if a["control"] else "other", x["metric"], x["verdict"], x["change"], x["lower"], x["upper"], sep="\t")' "$1/tune.json"
}

one() { # number: what went wrong, and whether mean and rate are equivalent
	local i=$1 said
	bin/cstest tune "$out/short.yaml" --vary description=one,other --rounds "${ROUNDS:-10}" --seed "$i" --quiet --results-dir "$out/same-$i" >"$out/same-$i.log" 2>&1 || {
		echo "experiment $i: exit $?, wrong"
		return
	}
	said=$(verdicts "$out/same-$i")
	if grep -P '\t(better|worse)\t' <<<"$said"; then echo "experiment $i: a difference where there is none, wrong"; fi
	if [ "$(grep -cP '^other\t(mean|turns)\tequivalent\t' <<<"$said")" = 2 ]; then echo "experiment $i: equivalent"; fi
}
export -f one verdicts
export out

wrong=0
if [ "${COUNT:-20}" != 0 ]; then
	seq "${COUNT:-20}" | xargs -P "${JOBS:-1}" -I{} bash -c 'set -euo pipefail; one {}' | tee "$out/said"
	wrong=$(grep -c 'wrong$' "$out/said" || true)
	echo "against itself: ${COUNT:-20} experiments, $wrong with a difference, $(grep -c 'equivalent$' "$out/said" || true) equivalent in mean and rate"
fi

began=$SECONDS
bin/cstest tune "$out/short.yaml" --vary llm.latency.median=110ms,132ms --rounds "${ROUNDS:-10}" --quiet --results-dir "$out/slower"
said=$(verdicts "$out/slower")
grep -P '^other\tmean\t' <<<"$said"
if ! grep -qP '^other\tmean\tworse\t' <<<"$said"; then
	echo "20 % more of the mean was not found"
	wrong=$((wrong + 1))
fi
echo "20 % more of the mean: $((SECONDS - began)) s"
[ "$wrong" = 0 ]
