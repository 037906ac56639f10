#!/bin/sh
# What the live view costs: CPU time of the cstest process (not of the servers it
# starts) with the view in tmux at 80x24 and 200x60, less that of the same run
# with --no-tui, over the length of the run. Runs alternate, so that a drift of
# the machine hits all alike; the median of the rounds is given, for on a shared
# machine one round differs from the next by more than the view costs. Needs tmux
# and jq.
#
#   bench/view.sh [ROUNDS] [SECONDS]
set -eu
rounds=${1:-3}
seconds=${2:-20}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
socket="cstest-view-$$"
trap 'tmux -L "$socket" kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
go build -o "$work/cstest" ./cmd/cstest
cat > "$work/open.yaml" <<END
version: 1
name: view
seed: 1
target: {bundled: {profile: hardened}, timeout: 5s}
llm:
  latency: {median: 110ms, p99: 320ms}
  faults: [{name: storm, at: $((seconds / 3))s, for: 4s, kind: status, status: 503, share: 90%}]
load:
  arrivals: constant
  stages: [{name: steady, for: ${seconds}s, starts: 40/s}]
  drain: 10s
conversations:
  - name: coupon
    think: 500ms
    turns: [{say: coupon}, {say: return}, {say: coupon again}]
sla: {latency: {p99: 500ms, p95: 300ms}, availability: 99%, full_quality: 95%, recovery: {after: storm, latency: 5s, quality: 30s}}
END

# run NAME COLUMNS ROWS FLAGS: one run in a terminal of that size; prints its CPU seconds.
run() {
	name=$1 columns=$2 rows=$3 flags=$4
	dir="$work/$name"
	tmux -L "$socket" new-session -d -x "$columns" -y "$rows" \
		"env -u NO_COLOR TERM=xterm-256color $work/cstest run $work/open.yaml --results-dir $dir $flags; tmux -L $socket wait-for -S $name"
	tmux -L "$socket" wait-for "$name"
	jq -r '.processes[] | select(.name == "cstest") | .cpu_s' "$dir/result.json"
}

for i in $(seq "$rounds"); do
	plain=$(run "plain$i" 80 24 --no-tui)
	small=$(run "small$i" 80 24 "")
	large=$(run "large$i" 200 60 "")
	echo "$plain $small $large"
done | awk -v s="$seconds" '
	function median(list, n,   i, k, t) {
		for (i = 2; i <= n; i++) for (k = i; k > 1 && list[k] < list[k-1]; k--) { t = list[k]; list[k] = list[k-1]; list[k-1] = t }
		return n % 2 ? list[(n+1)/2] : (list[n/2] + list[n/2+1]) / 2
	}
	{ printf "round %d: %.2f s without, %.2f s at 80x24, %.2f s at 200x60\n", NR, $1, $2, $3; a[NR] = $2 - $1; b[NR] = $3 - $1 }
	END { printf "the view costs %.2f %% of a core at 80x24 and %.2f %% at 200x60\n", 100 * median(a, NR) / s, 100 * median(b, NR) / s }'
