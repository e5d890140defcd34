#!/usr/bin/env python3
"""Runs a benchmark that takes `json=FILE`, and adds to that where, when and by which command it was run.

    bench/recorded.py target/bench/stage.json cargo bench -p end-to-end --bench stage -- images=240
"""

import json
import subprocess
import sys
from pathlib import Path

import environment


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out, command = Path(sys.argv[1]).absolute(), sys.argv[2:]
    facts = environment.facts(command=command)
    done = subprocess.run([*command, f"json={out}"], check=False)
    if done.returncode != 0:
        sys.exit(f"{facts['command']} ended with {done.returncode}")
    facts["load_average_at_end"] = environment.load()
    found = json.loads(out.read_text())
    out.write_text(json.dumps({"environment": facts} | found, indent=2) + "\n")


if __name__ == "__main__":
    main()
