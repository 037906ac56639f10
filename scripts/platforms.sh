#!/usr/bin/env bash
# Build everything for the platforms in docs/platforms.md, and vet it: all but
# the tests of cmd/cstest, which use Linux's terminals, limits and mounts.
set -eu
cd "$(dirname "$0")/.."
for os in linux darwin windows; do
	export GOOS=$os
	go build ./...
	go list ./... | grep -v '/cmd/cstest$' | xargs go vet
done
