#!/usr/bin/env python3
"""Measures how samples are packed into tar shards, beside WebDataset's ShardWriter and a plain copy.

    bench/peers/setup.sh
    cargo build --release -p shards --example pack
    .venv-bench/bin/python bench/shards.py --pack target/release/examples/pack [--json OUT]

Rounds are interleaved, ratios are taken within a round. Samples and shards lie in memory, and each program
reads all samples before its clock starts: three times the samples' size at most. The yardstick is CPU time.
Each packer's first shards are compared with the samples, member by member. Progress goes to standard error,
tables (bench/shards_report.py) to standard output.
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import environment
from options import add_usual, positive, program
from process import ProcessFailed, run
from random_files import WrongBytes, refuse_other_than
from rounds import say
from shard_samples import JSON_BYTES, Samples, make, members
from shards_report import markdown
from trials import Trial, interleaved

SHARD_WRITER = Path(__file__).resolve().parent / "peers/shardwriter.py"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pack", type=program, required=True, metavar="PROGRAM")
    parser.add_argument("--samples", type=positive, default=4_000)
    parser.add_argument("--sample-bytes", type=positive, default=100_000, help="of the picture")
    parser.add_argument("--shard-samples", type=positive, default=1_000)
    add_usual(parser)
    return parser.parse_args()


@dataclass(frozen=True)
class Packer:
    """A program that takes a folder and --out, and says what it took as JSON."""

    name: str
    command: list[str]
    # Else it writes the same bytes without their names.
    tars: bool = True


@dataclass(frozen=True)
class Bench:
    """These samples, into shards of so many."""

    samples: Samples
    shard_samples: int
    out: Path

    def run(self, packer: Packer, number: int) -> Trial:
        self.out.mkdir()
        asked = [str(self.samples.folder), "--out", str(self.out), "--shard-samples", str(self.shard_samples)]
        finished = run([*packer.command, *asked])
        found = json.loads(finished.stdout)
        self.check(packer, found)
        if number == 0 and packer.tars:
            expected = self.samples.members(self.shard_samples)
            refuse_other_than(expected, members(self.out), f"shards of {packer.name}")
        shutil.rmtree(self.out)
        return Trial(found["cpu_s"], found["wall_s"], finished.peak_rss_bytes)

    def check(self, packer: Packer, found: dict) -> None:
        shards = [path.stat().st_size for path in self.out.glob("*.tar")]
        wanted = {
            "samples": self.samples.count,
            "shards": -(-self.samples.count // self.shard_samples),
            # A tar has more than its content; how much more is its own affair.
            "bytes": sum(shards) if packer.tars else self.samples.bytes,
        }
        seen = {"samples": found["samples"], "shards": len(shards), "bytes": found["bytes"]}
        refuse_other_than(wanted, seen, packer.name)


def measure_all(asked: argparse.Namespace, scratch: Path) -> dict:
    pack = str(asked.pack)
    packers = [
        Packer("imageml", [pack, "shards"]),
        Packer("webdataset", [sys.executable, str(SHARD_WRITER)]),
        Packer("copy", [pack, "copy"], tars=False),
    ]
    results = {
        "environment": environment.facts(asked.pack),
        "versions": {"webdataset": version("webdataset")},
        "samples": asked.samples,
        "sample_bytes": asked.sample_bytes,
        "json_bytes": JSON_BYTES,
        "shard_samples": asked.shard_samples,
    }
    say("making samples")
    samples = make(scratch / "in", asked.samples, asked.sample_bytes)
    bench = Bench(samples, asked.shard_samples, scratch / "out")
    results["packers"] = interleaved("shards", asked.rounds, packers, bench.run)
    results["environment"]["load_average_at_end"] = environment.load()
    return results


def main() -> None:
    asked = arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="imageml-bench-", dir=asked.scratch) as scratch:
            results = measure_all(asked, Path(scratch))
    except (ProcessFailed, WrongBytes) as error:
        sys.exit(f"error: {error}")
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=2) + "\n")
    print(markdown(results))


if __name__ == "__main__":
    main()
