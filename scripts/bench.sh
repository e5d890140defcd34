#!/usr/bin/env bash
# Measures what docs/benchmarks.md says. Nothing else should run meanwhile; everything takes about an hour.
#
#   scripts/bench.sh                       everything
#   scripts/bench.sh images stage          some of: images transfers shards stage store annotations
#   INPUT=~/photos scripts/bench.sh images pictures of your own (default: those of ../shared/data, where it is there)
#
# Tables go to standard output, and with everything that was found to target/bench/*.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/tools.sh

parts=("$@")
[[ ${#parts[@]} -gt 0 ]] || parts=(images transfers shards stage store annotations)
target=${CARGO_TARGET_DIR:-target}
results=target/bench
python=${BENCH_VENV:-.venv-bench}/bin/python

peers() {
    bench/peers/setup.sh
    mkdir -p "$results"
}

images() {
    peers
    cargo build --locked --release -p imageml --bins
    cargo build --locked --release -p imaging --example computation
    "$python" bench/images.py --imageml "$target/release/imageml" --floor "$target/release/examples/computation" \
        --convert-colour --json "$results/images.json" ${INPUT:+--input "$INPUT"}
}

transfers() {
    peers
    cargo build --locked --release -p object-storage --example transfer
    "$python" bench/transfers.py --transfer "$target/release/examples/transfer" --json "$results/transfers.json"
}

shards() {
    peers
    cargo build --locked --release -p shards --example pack
    "$python" bench/shards.py --pack "$target/release/examples/pack" --json "$results/shards.json"
}

stage() {
    tests/java/setup.sh
    cargo bench --locked -p end-to-end --bench stage -- images=240 ${INPUT:+"input=$(realpath "$INPUT")"}
}

store() {
    tests/java/setup.sh
    cargo bench --locked -p manifest-store -p pipeline --bench claims --bench engine
}

annotations() {
    python/label_studio_worker/setup.sh
    cargo build --locked --release -p imageml
    python3 scripts/bench-annotations.py --imageml "$target/release/imageml"
}

require build test
for part in "${parts[@]}"; do
    case $part in
        images | transfers | shards | stage | store | annotations) "$part" ;;
        *) echo "there is no benchmark $part" >&2; exit 2 ;;
    esac
done
