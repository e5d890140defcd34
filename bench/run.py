#!/usr/bin/env python3
"""Measures `imageml run`, from a folder of originals to a published version, beside what it computes alone.

    cargo build --release -p imageml --bin imageml
    cargo build --release -p imaging --example computation
    bench/run.py --imageml target/release/imageml --computation target/release/examples/computation [--json OUT]

Originals are copies of the input's pictures, each with a comment of its own: other bytes, so that each is an
image of its own and is worked on. In each round the computations of ingest and of normalize run first, on as
many threads over the same pictures in memory, then the whole run into an empty home. The share is what the
computations take of the run's time. Progress goes to standard error, a table (bench/stages_report.py) to
standard output.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import environment
from candidates import SIZES
from inputs import BadInput, folders
from options import positive, program
from outputs import pictures
from process import ProcessFailed, run
from rounds import say
from stages_report import run_markdown

QUALITY = "85"
# In this order, as a run does.
COMPUTATIONS = ("inspect", "normalize")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--imageml", type=program, required=True, metavar="PROGRAM")
    parser.add_argument("--computation", type=program, required=True, metavar="PROGRAM")
    parser.add_argument("--input", type=Path, metavar="DIR", help="pictures to copy")
    parser.add_argument("--images", type=positive, default=1000)
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=positive, default=3)
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="for originals and homes")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write everything that was found")
    return parser.parse_args()


class WrongRun(Exception):
    """A run did not do what is measured."""


@dataclass(frozen=True)
class Bench:
    """So many originals in a folder, made of these files."""

    imageml: Path
    computation: Path
    files: list[Path]
    folder: Path
    images: int
    threads: int
    home: Path

    def round(self, number: int) -> dict:
        found = {what: self.compute(what) for what in COMPUTATIONS}
        found["run"] = self.run()
        for what in ("wall_ms", "cpu_ms"):
            alone = sum(found[computation][what] for computation in COMPUTATIONS)
            found[f"{what.removesuffix('_ms')}_share"] = alone / found["run"][what]
        say(
            f"round {number}: "
            + ", ".join(f"{what} {found[what]['wall_ms']:.1f} ms" for what in (*COMPUTATIONS, "run"))
            + f" an image, {100 * found['wall_share']:.1f} %"
        )
        return found

    def compute(self, what: str) -> dict:
        """Over the input's own files as often as there are copies of them."""
        repeat = str(-(-self.images // len(self.files)))
        command = [
            str(self.computation), what, "--sizes", SIZES, "--quality", QUALITY,
            "--threads", str(self.threads), "--repeat", repeat, *map(str, self.files),
        ]
        found = json.loads(run(command).stdout)
        wall, cpu = (1000 * found[of] / found["images"] for of in ("wall_s", "cpu_s"))
        return {"wall_ms": wall, "cpu_ms": cpu}

    def run(self) -> dict:
        with tempfile.TemporaryDirectory(prefix="home-", dir=self.home) as home:
            command = [
                str(self.imageml), "run", "--input", str(self.folder), "--dataset", "bench", "--home", home,
                "--sizes", SIZES, "--quality", QUALITY, "--cpu-threads", str(self.threads), "--strict",
                "--json",
            ]
            finished = run(command)
        self.check(json.loads(finished.stdout))
        return {
            "wall_ms": 1000 * finished.wall_s / self.images,
            "cpu_ms": 1000 * finished.cpu_s / self.images,
            "peak_rss_bytes": finished.peak_rss_bytes,
        }

    def check(self, summary: dict) -> None:
        """Every original was worked on, and is in the version."""
        written = {variant["written"] for variant in summary["variants"].values()}
        packed = sum(shard["samples"] for shard in summary["shards"])
        seen = (summary["images"]["ingested"], summary["images"]["duplicates"], written, packed)
        if seen != (self.images, 0, {self.images}, self.images * len(summary["variants"])):
            raise WrongRun(f"images, duplicates, renditions of each size and samples are {seen}")


def copies(files: list[Path], folder: Path, count: int) -> None:
    """So many originals. A comment (COM) stands right after the start of the image (SOI)."""
    contents = [file.read_bytes() for file in files]
    for number in range(count):
        content = contents[number % len(contents)]
        comment = f"copy {number}".encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        (folder / f"{number:06}.jpg").write_bytes(content[:2] + segment + content[2:])


def measure(asked: argparse.Namespace, scratch: Path) -> dict:
    source = folders([asked.input] if asked.input else [], asked.imageml, scratch)[0]
    files, folder = pictures(source), scratch / "in"
    if not files:
        raise BadInput(f"no JPEG files in {source}")
    folder.mkdir()
    say(f"making {asked.images} originals of {len(files)}")
    copies(files, folder, asked.images)
    facts = environment.facts(asked.imageml)
    bench = Bench(asked.imageml, asked.computation, files, folder, asked.images, asked.threads, scratch)
    rounds = [bench.round(number) for number in range(1, asked.rounds + 1)]
    facts["load_average_at_end"] = environment.load()
    return {
        "environment": facts,
        "input": source.name,
        "images": asked.images,
        "bytes": sum(file.stat().st_size for file in folder.iterdir()),
        "threads": asked.threads,
        "wall_share": statistics.median(one["wall_share"] for one in rounds),
        "cpu_share": statistics.median(one["cpu_share"] for one in rounds),
        "rounds": rounds,
    }


def main() -> None:
    asked = arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="imageml-bench-", dir=asked.scratch) as scratch:
            results = measure(asked, Path(scratch))
    except (BadInput, ProcessFailed, WrongRun) as error:
        sys.exit(f"error: {error}")
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=2) + "\n")
    print(run_markdown(results))


if __name__ == "__main__":
    main()
