#!/usr/bin/env bash
# Measures what docs/data-model.md says of claims and publications: first the statements alone, on the throwaway server
# of the tests, which does not sync to disk; then, where PostgreSQL's programs are, on one that syncs every commit.
# Arguments go to the benchmark: scripts/bench.sh objects=2000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/tools.sh

require build test
cargo bench --locked -p manifest-store --bench claims -- "$@"
if [[ -z ${TEST_DATABASE_URL:-} ]]; then
    echo "== with a server that syncs every commit"
    crates/manifest-store/benches/claims.sh "$@"
fi
