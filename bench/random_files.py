"""Files of random bytes, and whether copies of them are right."""

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path


class WrongBytes(Exception):
    """What was made is not what it was made from."""


@dataclass(frozen=True)
class RandomFiles:
    """A folder of files of one size, with their SHA-256 by name."""

    folder: Path
    count: int
    size: int
    sha256: dict[str, str]


def make(folder: Path, count: int, size: int) -> RandomFiles:
    """The same bytes in every run of the benchmark. Names hold digests, as a stage knows those of what it made."""
    folder.mkdir(parents=True)
    chance = random.Random(size)
    for number in range(count):
        content = chance.randbytes(size)
        (folder / f"{number:06}-{hashlib.sha256(content).hexdigest()}.bin").write_bytes(content)
    return RandomFiles(folder, count, size, digests(folder))


def digests(folder: Path) -> dict[str, str]:
    """Of every file in the folder, by path within it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path) for path in files}


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_other_than(expected: dict, found: dict, who: str) -> None:
    """Both map names to what must be equal."""
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        first = wrong[0]
        seen, wanted = found.get(first, "nothing"), expected.get(first, "nothing")
        raise WrongBytes(f"{who}: {len(wrong)} of {len(expected)} are wrong; {first}: {seen}, not {wanted}")
