#!/usr/bin/env bash
# Build bin/otelcol, the OpenTelemetry Collector that a test sends a run to, as
# e2e/otel/builder.yaml says. Nothing is done where it is there already.
set -euo pipefail
cd "$(dirname "$0")/.."
stamp=$(sha256sum e2e/otel/builder.yaml | cut -c1-16)
[ -x bin/otelcol ] && [ "$(cat bin/otelcol.stamp 2>/dev/null)" = "$stamp" ] && exit 0
mkdir -p bin
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
sed "s|^dist:|dist:\n  output_path: $made|" e2e/otel/builder.yaml >"$made.yaml"
trap 'rm -rf "$made" "$made.yaml"' EXIT
GOWORK=off go run go.opentelemetry.io/collector/cmd/builder@v0.165.0 --config "$made.yaml" >"$made/log" 2>&1 || { cat "$made/log" >&2; exit 1; }
mv "$made/otelcol" bin/otelcol
echo "$stamp" >bin/otelcol.stamp
