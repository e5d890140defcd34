#!/usr/bin/env bash
# Makes <root>/.venv-label-studio, in which the worker runs the Label Studio SDK. Does nothing when it is up to date.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
venv="$root/.venv-label-studio"
python=${PYTHON:-python3}

source "$root/scripts/once.sh"
unless_made "$venv/.requirements.sha256" "$here/setup.sh" "$here/requirements.txt"

# Anew each time: what was dropped from the list must not stay, and pip is not there any more.
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/python" -m pip --disable-pip-version-check --quiet install \
    --no-deps --require-hashes --only-binary :all: --requirement "$here/requirements.txt"
# The SDK only prints which of its imports fail; better now than in the middle of an import.
(cd "$venv" && "$venv/bin/python" -c '
from label_studio_sdk.converter import Converter
from label_studio_sdk.converter.imports.coco import convert_coco_to_ls
')
# Nothing is installed into it later.
"$venv/bin/python" -m pip --disable-pip-version-check --quiet uninstall --yes setuptools pip
made
echo "the environment of the Label Studio worker is in $venv ($(du -sm "$venv" | cut -f1) MB)"
