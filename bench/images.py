#!/usr/bin/env python3
"""Measures `imageml normalize` beside other programs that make the same three variants of each picture.

    bench/peers/setup.sh
    .venv-bench/bin/python bench/images.py --imageml target/release/imageml [--floor PROGRAM] [--json OUT]

Rounds are interleaved, ratios are taken within a round. Pictures and variants lie in memory. The yardstick is
CPU time, which other work on the machine disturbs least; wall time means something on an idle machine alone.
Progress goes to standard error, tables (bench/report.py) to standard output.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import environment
from candidates import FLOOR, OURS, PEERS, Candidate, CandidateFailed, Floor, Ours
from image_sets import ImageSet, by_coding, stage
from inputs import BadInput, folders
from options import positive, program
from process import ProcessFailed
from report import markdown
from rounds import BadVariants, Plan, measure, say

# The set that has enough files of both codings for them to be measured apart.
MEASURED_APART = "photos"


def names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def numbers(text: str) -> list[int]:
    return [positive(name) for name in names(text)]


def arguments() -> argparse.Namespace:
    peers = [peer.name for peer in PEERS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--imageml", type=program, required=True, metavar="PROGRAM")
    parser.add_argument("--floor", type=program, metavar="PROGRAM", help="decodes and encodes alone")
    parser.add_argument("--input", type=Path, action="append", metavar="DIR", help="one or several times")
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--slow-rounds", type=positive, default=3, help="of peers that take long")
    parser.add_argument("--threads", type=numbers, default=[1, 2], metavar="LIST", help="1,2")
    parser.add_argument("--ours", type=names, default=list(OURS), metavar="LIST", help=", ".join(OURS))
    parser.add_argument("--peers", type=names, default=peers, metavar="LIST", help=", ".join(peers))
    parser.add_argument("--quality", type=int, default=85, help="of JPEG")
    parser.add_argument("--convert-colour", action="store_true", help="ours makes sRGB, and is scored so")
    parser.add_argument("--no-scores", action="store_true", help="leave quality out")
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N files of each folder")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write everything that was found")
    asked = parser.parse_args()
    for unknown in {*asked.peers} - {*peers} | {*asked.ours} - {*OURS}:
        parser.error(f"there is no candidate {unknown}")
    return asked


def candidates(asked: argparse.Namespace) -> list[Candidate]:
    """In the order in which they run."""
    found: list[Candidate] = [Ours(name, imageml=asked.imageml) for name in asked.ours]
    found += [peer for peer in PEERS if peer.name in asked.peers]
    return found + ([Floor(FLOOR, program=asked.floor)] if asked.floor else [])


def stage_all(asked: argparse.Namespace, scratch: Path) -> list[ImageSet]:
    """Each set, followed by its parts."""
    found = []
    for number, folder in enumerate(folders(asked.input or [], asked.imageml, scratch)):
        whole = stage(folder, scratch / f"in/{number}/all", asked.limit)
        found.append(whole)
        if whole.name == MEASURED_APART:
            found += by_coding(whole, scratch / f"in/{number}")
    return found


def measure_all(asked: argparse.Namespace, scratch: Path) -> dict:
    plan = Plan(
        rounds=asked.rounds, slow_rounds=asked.slow_rounds, quality=asked.quality, scratch=scratch,
        scored_threads=None if asked.no_scores else asked.threads[0], convert_colour=asked.convert_colour,
    )
    running = candidates(asked)
    results = {"environment": environment.facts(asked.imageml), "quality": asked.quality, "sets": []}
    for images in stage_all(asked, scratch):
        fitting = [one for one in running if one.fits(images)]
        left_out = [one.name for one in running if images.part_of is None and one not in fitting]
        by_threads = {str(threads): measure(images, threads, fitting, plan) for threads in asked.threads}
        found = images.facts() | {"left_out": left_out, "threads": by_threads}
        results["sets"].append(found)
        results["environment"]["load_average_at_end"] = environment.load()
        if asked.json:  # after each set: a bench of an hour that fails in the end is not lost
            asked.json.write_text(json.dumps(results, indent=2) + "\n")
    return results


def main() -> None:
    asked = arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="imageml-bench-", dir="/dev/shm") as scratch:
            results = measure_all(asked, Path(scratch))
    except (BadInput, BadVariants, CandidateFailed, ProcessFailed) as error:
        sys.exit(f"error: {error}")
    say(f"load at the end: {results['environment']['load_average_at_end']}")
    print(markdown(results))


if __name__ == "__main__":
    main()
