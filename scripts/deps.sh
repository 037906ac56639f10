#!/usr/bin/env bash
# Install what the tests use besides Go. Arguments: Debian packages.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
for p in "$@"; do
	case "$p" in
	nodejs) command -v node >/dev/null || missing+=("$p") ;;
	npm) command -v npm >/dev/null || missing+=("$p") ;;
	python3) command -v python3 >/dev/null || missing+=("$p") ;;
	*) dpkg -s "$p" >/dev/null 2>&1 || missing+=("$p") ;;
	esac
done
if [ ${#missing[@]} -gt 0 ]; then
	sudo=""
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -qq
	# The services are started by the tests, on ports of their own.
	printf '#!/bin/sh\nexit 101\n' | $sudo tee /usr/sbin/policy-rc.d >/dev/null
	$sudo chmod +x /usr/sbin/policy-rc.d
	trap '$sudo rm -f /usr/sbin/policy-rc.d' EXIT
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
if [ -f driver/testdata/socket-servers/package.json ] && [ ! -d driver/testdata/socket-servers/node_modules/socket.io ]; then
	(cd driver/testdata/socket-servers && npm ci --no-audit --no-fund --silent)
fi
if [ -f mockllm/testdata/openai-client/package.json ] && [ ! -d mockllm/testdata/openai-client/node_modules/@anthropic-ai/sdk ]; then
	(cd mockllm/testdata/openai-client && npm install --no-audit --no-fund --silent)
fi
if [ -f cmd/cstest/testdata/foreign/package.json ] && [ ! -f cmd/cstest/testdata/foreign/node_modules/.package-lock.json ]; then
	(cd cmd/cstest/testdata/foreign && npm ci --no-audit --no-fund --silent --omit=dev --ignore-scripts)
fi
