"""What a peer is: something that makes the variants of many files."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

Failure = tuple[str, str]
"""A file, and why nothing came of it."""

Convert = Callable[[bytes, int], Iterable[tuple[str, bytes]]]
"""One file's bytes and a JPEG quality to the variants: names and JPEG bytes."""


@dataclass(frozen=True)
class Job:
    """What is to be made."""

    files: list[Path]
    out: Path
    quality: int
    threads: int


class Peer:
    """A program that images are measured against. `run` is timed, `ready` is not."""

    distributions: tuple[str, ...] = ()

    def ready(self, job: Job) -> AbstractContextManager[None]:
        """What must be there while the job runs and is no work of the peer."""
        return nullcontext()

    def run(self, job: Job) -> list[Failure]:
        """Writes `<file stem>.<variant>.jpg` to the job's folder."""
        raise NotImplementedError

    def versions(self) -> dict[str, str]:
        """Of what does the work."""
        return {name: version(name) for name in self.distributions}


class FileByFile(Peer):
    """A library, used from a pool of threads: each file is read, converted and written by one of them.

    All of these libraries release the interpreter's lock while they work.
    """

    def __init__(self, convert: Convert, versions: dict[str, str]):
        self.convert = convert
        self.found_versions = versions

    def run(self, job: Job) -> list[Failure]:
        with ThreadPoolExecutor(job.threads) as pool:
            failures = pool.map(lambda file: self.one(file, job), job.files)
            return [failure for failure in failures if failure]

    def one(self, file: Path, job: Job) -> Failure | None:
        try:
            for name, jpeg in self.convert(file.read_bytes(), job.quality):
                (job.out / f"{file.stem}.{name}.jpg").write_bytes(jpeg)
        except Exception as error:  # whatever a decoder says of a file is reported with the file
            return str(file), f"{type(error).__name__}: {error}"
        return None

    def versions(self) -> dict[str, str]:
        return self.found_versions
