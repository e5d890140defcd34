#!/usr/bin/env bash
# Measures what docs/benchmarks.md says, and writes it there. Nothing else should run meanwhile; everything takes about
# two hours after the build.
#
#   scripts/bench.sh                              everything
#   scripts/bench.sh images stages                some of: images run transfers shards stages store growth annotations
#   scripts/bench.sh --input ~/photos images run  JPEGs of your own (also as INPUT; default: those of ../shared/data
#                                                 where they are there, else drawn ones)
#
# SCRATCH=DIR is where `run` and `stages` keep what would be on NVMe, and `run` its stores: the folder for temporary files, else.
#
# Tables go to standard output, everything that was found to target/bench/*.json, and from there by bench/document.py into
# docs/benchmarks.md, where a part that was not run keeps what it says. `growth` takes 15 GB of the temporary folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/tools.sh

all=(images run transfers shards stages store growth annotations)
parts=()
while (($# > 0)); do
    case $1 in
        --input) INPUT=${2:?--input needs a folder} && shift 2 ;;
        *) parts+=("$1") && shift ;;
    esac
done
((${#parts[@]} > 0)) || parts=("${all[@]}")
target=${CARGO_TARGET_DIR:-target}
results=target/bench
python=${BENCH_VENV:-.venv-bench}/bin/python

# The folder to measure on: yours, else the `large` or `small` pictures beside the project, else drawn ones.
pictures() {
    if [[ -n ${INPUT:-} ]]; then
        realpath -e "$INPUT"
    else
        python3 bench/inputs.py "$target/release/imageml" "$results" "$1"
    fi
}

build_imageml_for_speed() { cargo build --locked --release -p imageml --bin imageml; }

build_computation() { cargo build --locked --release -p imaging --example computation; }

images() {
    bench/peers/setup.sh
    build_imageml_for_speed
    build_computation
    "$python" bench/images.py --imageml "$target/release/imageml" --floor "$target/release/examples/computation" \
        --convert-colour --json "$results/images.json" ${INPUT:+--input "$INPUT"}
}

run() {
    build_imageml_for_speed
    build_computation
    python3 bench/run.py --imageml "$target/release/imageml" --computation "$target/release/examples/computation" \
        --json "$results/run.json" ${SCRATCH:+--scratch "$SCRATCH"} ${INPUT:+--input "$INPUT"}
}

transfers() {
    bench/peers/setup.sh
    cargo build --locked --release -p object-storage --example transfer
    "$python" bench/transfers.py --transfer "$target/release/examples/transfer" --json "$results/transfers.json"
}

shards() {
    bench/peers/setup.sh
    cargo build --locked --release -p shards --example pack
    "$python" bench/shards.py --pack "$target/release/examples/pack" --rounds 15 --json "$results/shards.json"
}

# cargo_bench NAME PACKAGE BENCH OPTION …
cargo_bench() {
    tests/java/setup.sh
    bench/recorded.py "$results/$1.json" cargo bench --locked -p "$2" --bench "$3" -- "${@:4}"
}

stages() {
    local large small
    build_imageml_for_speed
    large=$(pictures large)
    small=$(pictures small)
    local scratch=(${SCRATCH:+"scratch=$SCRATCH"})
    cargo_bench stage end-to-end stage images=1000 "input=$large" "${scratch[@]}"
    cargo_bench stages end-to-end stage stages=all images=1000 "input=$large" "${scratch[@]}"
    cargo_bench memory end-to-end stage images=10000 rounds=1 "input=$small" "${scratch[@]}"
}

store() {
    cargo_bench claims manifest-store claims
    cargo_bench engine pipeline engine
}

growth() {
    cargo_bench growth manifest-store growth
    cargo_bench engine-growth pipeline engine growth=1000,10000,100000
}

annotations() {
    python/label_studio_worker/setup.sh
    build_imageml_for_speed
    python3 bench/annotations.py --imageml "$target/release/imageml" | tee "$results/annotations.md"
}

for part in "${parts[@]}"; do
    [[ " ${all[*]} " == *" $part "* ]] || { echo "there is no benchmark $part, only: ${all[*]}" >&2; exit 2; }
done
require build test
mkdir -p "$results"
for part in "${parts[@]}"; do
    "$part"
    bench/document.py
done
