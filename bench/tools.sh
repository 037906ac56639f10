#!/usr/bin/env bash
# Install the peers that bench/peers.py and bench/agree.py compare with, into bench/.tools.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p .tools
export GOBIN=$PWD/.tools
command -v wrk >/dev/null && command -v nginx >/dev/null && command -v h2load >/dev/null ||
	(apt-get update -qq && apt-get install -y -qq wrk nginx nghttp2-client)
command -v locust >/dev/null || apt-get install -y -qq python3-locust
[ -x .tools/hey ] || go install github.com/rakyll/hey@v0.1.5
[ -x .tools/vegeta ] || go install github.com/tsenart/vegeta/v12@v12.13.0
# fortio 1.64 and later need a module that the proxy does not serve.
[ -x .tools/fortio ] || go install fortio.org/fortio@v1.63.0
[ -x .tools/k6 ] || go install go.k6.io/k6@v1.8.1 || go install go.k6.io/k6/v2@latest
ls .tools
