#!/usr/bin/env bash
# Makes <root>/.venv-label-studio, in which the worker runs the Label Studio SDK. Does nothing when it is up to date.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
venv="$root/.venv-label-studio"
stamp="$venv/.requirements.sha256"
python=${PYTHON:-python3}

wanted=$(cat "$here/requirements.txt" "$here/setup.sh" | sha256sum | cut -d' ' -f1)
up_to_date() { [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; }

if up_to_date; then
    exit 0
fi

# One at a time: two test runs may start together.
exec 9<"$here/setup.sh"
flock 9
if up_to_date; then
    exit 0
fi

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
echo "$wanted" >"$stamp"
echo "the environment of the Label Studio worker is in $venv ($(du -sm "$venv" | cut -f1) MB)"
