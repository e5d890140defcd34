"""Values of command lines."""

import argparse
from pathlib import Path


def add_usual(parser: argparse.ArgumentParser) -> None:
    """What every benchmark with a folder for its data takes."""
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--scratch", type=Path, default=Path("/dev/shm"), metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write everything that was found")


def positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return int(text)


def program(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no program {text}")
    return Path(text).absolute()


def count_and_size(text: str) -> tuple[int, int]:
    """`1000x100000`: so many, of so many bytes."""
    count, _, size = text.partition("x")
    return positive(count), positive(size)
