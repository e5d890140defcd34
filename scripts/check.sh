#!/usr/bin/env bash
# Everything that must hold before a change is merged; CI runs this. Says how long each step took.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/tools.sh

times=()

step() {
    local name=$1 begun=$SECONDS
    shift
    echo "== $name: $*"
    "$@" || { echo "== $name failed after $((SECONDS - begun)) s" >&2; exit 1; }
    times+=("$(printf '%6d s  %s' $((SECONDS - begun)) "$name")")
}

scripts_parse() {
    local script
    for script in scripts/*.sh tests/*/*.sh python/*/*.sh .ci/run; do bash -n "$script" || return 1; done
}

require build test
step scripts scripts_parse
step format cargo fmt --all --check
step clippy cargo clippy --workspace --all-targets --locked -- -D warnings
# Libraries and programs as by default; `--examples` for the reason in tools.sh (build_imageml).
RUSTDOCFLAGS="-D warnings" step docs cargo doc --no-deps --workspace --lib --bins --examples --locked
step test make --no-print-directory test
step demo make --no-print-directory demo

echo "== all passed"
printf '%s\n' "${times[@]}" "$(printf '%6d s  %s' "$SECONDS" total)"
