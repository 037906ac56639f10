#!/usr/bin/env bash
# keep.sh NAME N removes the folders results/NAME-TIME but for the newest N, and prints
# what it removes. TIME is as date -u +%Y%m%dT%H%M%SZ: no other folder is touched.
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1 keep=$2
[[ $keep =~ ^[1-9][0-9]*$ ]] || { echo "keep.sh: $keep is not how many to keep"; exit 64; }
digit='[0-9]'
day="$digit$digit$digit$digit$digit$digit$digit$digit"
shopt -s nullglob
folders=(results/"$name"-${day}T$digit$digit$digit$digit$digit${digit}Z) # in their order of time
for ((i = 0; i + keep < ${#folders[@]}; i++)); do
	echo "removed ${folders[i]}"
	rm -rf -- "${folders[i]}"
done
