#!/usr/bin/env bash
# Makes <root>/.venv with what the Python side of the tests needs. Does nothing when it is up to date.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
venv="$root/.venv"
python=${PYTHON:-python3}

source "$root/scripts/once.sh"
unless_made "$venv/.requirements.sha256" "$here/setup.sh" "$here"/requirements*.txt "$here/fetch_wds2idx.py"

if [[ ! -x $venv/bin/python ]]; then
    "$python" -m venv "$venv"
fi
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
pip install -r "$here/requirements.txt"
pip install --no-deps -r "$here/requirements-no-deps.txt"
# wids was dropped from webdataset after 0.2.100; that release must not stand where webdataset 1 does.
rm -rf "$venv/wids"
pip install --no-deps --target "$venv/wids" webdataset==0.2.100
rm -rf "$venv/wids/webdataset"
"$venv/bin/python" "$here/fetch_wds2idx.py" "$venv/dali"
made
echo "the Python test environment is in $venv"
