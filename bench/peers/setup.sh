#!/usr/bin/env bash
# Makes $BENCH_VENV (default: <root>/.venv-bench) with the programs that images are measured against. Does nothing
# when it is up to date.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# Relative to the root, wherever this is called from; an absolute path stays.
venv=$(cd "$root" && realpath -m -- "${BENCH_VENV:-.venv-bench}")
python=${PYTHON:-python3}

source "$root/scripts/once.sh"
unless_made "$venv/.requirements.sha256" "$here/setup.sh" "$here/requirements.txt"

if [[ ! -x $venv/bin/python ]]; then
    "$python" -m venv "$venv"
fi
"$venv/bin/python" -m pip --disable-pip-version-check --quiet install -r "$here/requirements.txt"
made
echo "the peers of the image benchmark are in $venv"
