#!/usr/bin/env bash
# The construct against the template, and `cdk synth` of the app. Needs node 20 and an npm registry; no cloud, no
# Rust: empty files stand for the functions.
set -euo pipefail
cd "$(dirname "$0")"
exec </dev/null
export CDK_DISABLE_CLI_TELEMETRY=true CDK_DISABLE_VERSION_CHECK=1

npm ci --no-audit --no-fund
npm test

code=$(mktemp -d)
trap 'rm -rf "$code"' EXIT
for function in ../../functions/*/; do
    mkdir "$code/$(basename "$function")"
    touch "$code/$(basename "$function")/bootstrap"
done
npx --no-install cdk synth --quiet --no-notices --context code="$code" --output "$code/cdk.out"
