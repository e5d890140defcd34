#!/usr/bin/env python3
"""Packs samples with WebDataset's ShardWriter as crates/shards/examples/pack.rs does with ours.

    shardwriter.py FOLDER --out DIR --shard-samples N

Takes a folder of pairs `KEY.jpg`, `KEY.json`; prints one JSON document. All samples are read before the clock
starts.
"""

import argparse
import json
import os
import time
from pathlib import Path

# NumPy's threads spin for a while after it is imported, which webdataset does.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from webdataset import ShardWriter


def read(folder: Path) -> list[dict]:
    return [
        {"__key__": path.stem, "jpg": path.read_bytes(), "json": path.with_suffix(".json").read_bytes()}
        for path in sorted(folder.glob("*.jpg"))
    ]


def pack(samples: list[dict], out: Path, shard_samples: int) -> None:
    pattern = str(out).replace("%", "%%") + "/shard-%05d.tar"
    # The count alone ends a shard, and standard output is for the result.
    with ShardWriter(pattern, maxcount=shard_samples, maxsize=float("inf"), verbose=0) as writer:
        for sample in samples:
            writer.write(sample)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--shard-samples", type=int, default=2_000)
    asked = parser.parse_args()
    samples = read(asked.folder)
    cpu, wall = time.process_time(), time.monotonic()
    pack(samples, asked.out, asked.shard_samples)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    packed = sum(path.stat().st_size for path in asked.out.glob("*.tar"))
    print(json.dumps({"samples": len(samples), "bytes": packed, "cpu_s": cpu, "wall_s": wall}))


if __name__ == "__main__":
    main()
