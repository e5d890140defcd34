#!/usr/bin/env python3
"""Reads a published dataset version with the real loaders and compares every sample.

    check_version.py VERSION_DIR [--variant NAME ...]

VERSION_DIR holds manifest.json and one folder per variant. One line is printed per check; the exit
status is 0 when all passed, 1 when one failed, 2 when the folder cannot be checked at all.
"""

import argparse
import sys
from pathlib import Path

from loader_checks import dali, energon, files, samples_table, wids_index, web_dataset
from loader_checks.version import CheckFailed, load_version

# One loader at a time over all variants, and webdataset before those that bring the stand-in for torch: it
# runs as its users without torch have it.
CHECKS = [
    ("files", files.check),
    ("webdataset", web_dataset.check),
    ("wids", wids_index.check),
    ("dali", dali.check),
    ("energon", energon.check),
    ("samples.parquet", samples_table.check),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version_dir", type=Path, metavar="VERSION_DIR")
    parser.add_argument("--variant", action="append", help="check this variant alone (may be repeated)")
    arguments = parser.parse_args()
    try:
        variants = load_version(arguments.version_dir, arguments.variant)
    except (OSError, KeyError, ValueError) as error:
        print(f"cannot check {arguments.version_dir}: {error!r}")
        return 2

    failures = 0
    for name, check in CHECKS:
        for variant in variants:
            try:
                print(f"ok    {variant.name} {name}: {check(variant)}", flush=True)
            # A loader that raises has failed like one that reads something else.
            except Exception as error:  # noqa: BLE001
                failures += 1
                why = str(error) if isinstance(error, CheckFailed) else f"{type(error).__name__}: {error}"
                print(f"FAIL  {variant.name} {name}: {why}", flush=True)
    print(f"{'FAIL' if failures else 'ok'}    {len(variants)} variants, {failures} failed checks")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
