#!/usr/bin/env python3
"""Makes the three variants of every file with one peer, and says what that took as one line of JSON.

    variants.py PEER --threads T --out DIR --quality 85 FILE...

Imports and a first tiny image come before the clock starts: no peer is charged for starting up.
"""

import argparse
import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from peer import Job, Peer

MODULES = {
    "pyvips-thumbnail": "pyvips_pipelines",
    "pyvips-cascade": "pyvips_pipelines",
    "pyvips-once": "pyvips_pipelines",
    "opencv-cascade": "opencv_pipelines",
    "opencv-reduced": "opencv_pipelines",
    "pillow-draft": "pillow_pipelines",
    "daft": "daft_pipeline",
    "img2dataset": "img2dataset_pipeline",
}

# NumPy's threads spin for a while after it is imported: 20 ms of CPU time that no peer asked for.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

# In a process of its own, so that Pillow is not in the memory of every peer.
TINY_IMAGE = """
import sys
from PIL import Image
Image.radial_gradient("L").convert("RGB").resize((64, 48)).save(sys.argv[1])
"""


def cpu_seconds() -> float:
    """User and system, of this process and of those it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def peak_rss_bytes() -> int:
    """Of this program alone: what rusage says counts whatever forked it, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def warm_up(peer: Peer, job: Job) -> float:
    """What loads on first use is loaded; the CPU seconds of it."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "tiny.jpg"
        subprocess.run([sys.executable, "-c", TINY_IMAGE, image], check=True)
        tiny = replace(job, files=[image], out=Path(folder))
        with peer.ready(tiny):
            begun = cpu_seconds()
            failed = peer.run(tiny)
            spent = cpu_seconds() - begun
    if failed:
        raise SystemExit(f"the warm-up failed: {failed}")
    return spent


def measure(peer: Peer, job: Job) -> dict:
    job.out.mkdir(parents=True, exist_ok=True)
    warm_up_cpu_s = warm_up(peer, job)
    with peer.ready(job):
        cpu, wall = cpu_seconds(), time.monotonic()
        failed = peer.run(job)
        cpu, wall = cpu_seconds() - cpu, time.monotonic() - wall
    return {
        "images": len(job.files),
        "failed": failed,
        "cpu_s": cpu,
        "wall_s": wall,
        "warm_up_cpu_s": warm_up_cpu_s,
        "peak_rss_bytes": peak_rss_bytes(),
        "versions": peer.versions(),
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peer", choices=MODULES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--quality", type=int, default=85)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    try:
        peer = importlib.import_module(MODULES[asked.peer]).PEERS[asked.peer]()
    except (ImportError, OSError) as error:  # OSError: a shared library that is not there
        print(json.dumps({"peer": asked.peer, "unavailable": f"{type(error).__name__}: {error}"}))
        return
    job = Job(asked.files, asked.out, asked.quality, asked.threads)
    with contextlib.redirect_stdout(sys.stderr):  # some peers are chatty
        measured = measure(peer, job)
    print(json.dumps({"peer": asked.peer, **measured}))


if __name__ == "__main__":
    main()
