#!/usr/bin/env bash
# Faults, crashes and lost events against the real services: docs/reliability.md says what is checked.
#
#   scripts/chaos.sh                   every scenario with the seeds of SEEDS (1,2,3); writes the table of that page
#   scripts/chaos.sh S-02 --seeds 7    what the program `chaos` is given, and no page is written
#   scripts/chaos.sh --list            the scenarios
#
# `make chaos` takes the same as ARGUMENTS. Exit status 1 when a scenario fails; what replays it is printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/tools.sh

if (($# == 0)) && [[ -n ${ARGUMENTS:-} ]]; then
    # Words, as on a command line.
    read -ra words <<<"$ARGUMENTS"
    set -- "${words[@]}"
fi
if (($# == 0)); then
    set -- --seeds "${SEEDS:-1,2,3}" --report docs/reliability.md
fi

require build test
tests/java/setup.sh
# The services' programs lie beside it, with their failpoints.
cargo build --locked -p chaos --bins
exec cargo run --quiet --locked -p chaos --bin chaos -- "$@"
