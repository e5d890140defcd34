#!/usr/bin/env bash
# Sets up what the tests need, then runs them all. Arguments go to `cargo test`: scripts/test.sh -p shards
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/tools.sh

require build test
tests/python/setup.sh
python/label_studio_worker/setup.sh
tests/java/setup.sh
if (($# == 0)); then
    set -- --workspace
fi
cargo test --locked "$@"
