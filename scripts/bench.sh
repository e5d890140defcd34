#!/usr/bin/env bash
# Measures what docs/benchmarks.md says: claims and publications on PostgreSQL, and what the engine costs per object.
# Nothing else should run meanwhile. Arguments go to both benchmarks: scripts/bench.sh objects=2000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/tools.sh

require build test
tests/java/setup.sh
cargo bench --locked -p manifest-store -p pipeline --bench claims --bench engine -- "$@"
