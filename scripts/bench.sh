#!/usr/bin/env bash
# Measures what docs/benchmarks.md says: claims and publications on PostgreSQL, what the engine costs per object, and an
# import of annotations. Nothing else should run meanwhile. Arguments go to the first two: scripts/bench.sh objects=2000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/tools.sh

require build test
tests/java/setup.sh
cargo bench --locked -p manifest-store -p pipeline --bench claims --bench engine -- "$@"
python/label_studio_worker/setup.sh
cargo build --locked --release -p imageml
python3 scripts/bench-annotations.py --imageml "${CARGO_TARGET_DIR:-target}/release/imageml"
