#!/usr/bin/env bash
# Unpack the Linux archive of a release into a clean Debian (debootstrap, minimal) and
# run it there: version, a scenario, the report. Needs root. Argument: the release's folder.
set -euo pipefail
dist=$(realpath "${1:-dist}")
archive=$dist/cstest-linux-$(dpkg --print-architecture).tar.gz
(cd "$dist" && sha256sum --check --quiet --ignore-missing checksums.txt)
command -v debootstrap >/dev/null || { echo "debootstrap is not installed: make release-snapshot installs it"; exit 1; }
root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null; rm -rf "$root" "$root.log"' EXIT
debootstrap --variant=minbase bookworm "$root" >"$root.log" 2>&1 || { tail "$root.log"; exit 1; }
tar -xzf "$archive" -C "$root/opt" --strip-components=1
# No Go and no network configuration: a stranger's container has little more. cstest
# finds itself by /proc.
mount -t proc proc "$root/proc"
for command in "version" "validate --help" "run smoke --no-tui --results-dir /tmp/r" "report /tmp/r --format markdown"; do
	echo "chroot: cstest $command"
	# shellcheck disable=SC2086 # words of a command
	chroot "$root" /opt/cstest $command >"$root/out" 2>&1 || { tail -40 "$root/out"; exit 1; }
done
test -s "$root/tmp/r/report.html"
for page in "$root"/opt/man/*.1 "$root"/opt/completions/*; do test -s "$page"; done
bash -n "$root/opt/completions/cstest.bash"
echo "the release runs in a clean Debian"
