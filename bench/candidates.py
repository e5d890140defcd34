"""What is measured: ours, the peers and the floor."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from image_sets import ImageSet
from outputs import output_of
from peers.sizes import VARIANTS
from process import run

VARIANTS_PROGRAM = Path(__file__).resolve().parent / "peers/variants.py"
SIZES = "1080p,720p,800x600:stretch"

# What the command line of each candidate of ours has more than the other.
OURS = {"imageml": [], "imageml-in-process": ["--decode-isolation", "none"]}
FLOOR = "floor"


class CandidateFailed(Exception):
    """A candidate did not make what it was asked for."""


class Unavailable(Exception):
    """A peer is not installed."""


@dataclass(frozen=True)
class Work:
    """One run: these pictures, into that folder."""

    images: ImageSet
    out: Path
    quality: int
    threads: int


@dataclass(frozen=True)
class Measured:
    """What a run took."""

    cpu_s: float
    wall_s: float
    peak_rss_bytes: int
    versions: dict[str, str] = field(default_factory=dict)
    failed: list = field(default_factory=list)
    by_coding: dict[str, dict] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """Something that is measured. A slow one runs in fewer rounds; one that is lenient may fail on files."""

    name: str
    slow: bool = False
    lenient: bool = False
    scored: bool = True
    # Whether it is measured on parts of a set, too.
    on_parts: bool = False

    def fits(self, images: ImageSet) -> bool:
        """Whether a comparison on these pictures says anything."""
        return self.on_parts or images.part_of is None

    def run(self, work: Work) -> Measured:
        raise NotImplementedError

    def checked(self, work: Work) -> Measured:
        """A run whose outputs are all there."""
        work.out.mkdir(parents=True)
        measured = self.run(work)
        if not self.lenient:
            self.refuse_failures(work, measured)
        return measured

    def refuse_failures(self, work: Work, measured: Measured) -> None:
        for file, reason in measured.failed:
            raise CandidateFailed(f"{self.name} failed on {file}: {reason}")
        for file in work.images.files if self.scored else ():
            for variant in VARIANTS:
                if output_of(work.out, file.stem, variant.name) is None:
                    raise CandidateFailed(f"{self.name} wrote no {variant.name} of {file.name}")


def ours(imageml: Path, candidate: str, work: Work) -> list[str]:
    """The command line of ours."""
    return [
        str(imageml), "normalize", "--input", str(work.images.folder), "--output", str(work.out),
        "--sizes", SIZES, "--quality", str(work.quality), "--cpu-threads", str(work.threads), "--json",
        *OURS[candidate],
    ]


@dataclass(frozen=True)
class Ours(Candidate):
    """Measured from outside, as a whole process with its children and its start-up."""

    imageml: Path = Path()
    on_parts: bool = True

    def run(self, work: Work) -> Measured:
        finished = run(ours(self.imageml, self.name, work))
        rejected = json.loads(finished.stdout)["rejected"]
        failed = [(row["key"], f"{row['reason']}: {row.get('detail', '')}") for row in rejected]
        return Measured(finished.cpu_s, finished.wall_s, finished.peak_rss_bytes, failed=failed)


@dataclass(frozen=True)
class PeerProgram(Candidate):
    """Measured by itself in peers/variants.py, after its imports."""

    # Daft knows no "never enlarge": on small pictures it is given other work than the rest.
    enlarges_to: int = 0

    def fits(self, images: ImageSet) -> bool:
        return super().fits(images) and images.median_width() >= self.enlarges_to

    def run(self, work: Work) -> Measured:
        found = json.loads(run(self.command(work)).stdout)
        if "unavailable" in found:
            raise Unavailable(found["unavailable"])
        return Measured(
            found["cpu_s"], found["wall_s"], found["peak_rss_bytes"], found["versions"], found["failed"]
        )

    def command(self, work: Work) -> list[str]:
        return [
            sys.executable, str(VARIANTS_PROGRAM), self.name, "--threads", str(work.threads),
            "--out", str(work.out), "--quality", str(work.quality), *map(str, work.images.files),
        ]


@dataclass(frozen=True)
class Floor(Candidate):
    """What libjpeg-turbo alone takes: to decode at a reduced scale, and to encode the variants' pixels."""

    program: Path = Path()
    scored: bool = False
    on_parts: bool = True

    def run(self, work: Work) -> Measured:
        options = ["--quality", str(work.quality), "--threads", str(work.threads)]
        finished = run([str(self.program), "floor", *options, *map(str, work.images.files)])
        found = json.loads(finished.stdout)
        if found["images"] != len(work.images.files):
            raise CandidateFailed(f"{self.name} took {found['images']} of {len(work.images.files)} files")
        codings = {coding: found[coding] for coding in ("baseline", "progressive") if coding in found}
        return Measured(found["cpu_s"], found["wall_s"], finished.peak_rss_bytes, by_coding=codings)


PEERS = [
    PeerProgram("pyvips-thumbnail", on_parts=True),
    PeerProgram("pyvips-cascade", on_parts=True),
    PeerProgram("opencv-cascade", on_parts=True),
    PeerProgram("opencv-reduced"),
    PeerProgram("pillow-draft", slow=True),
    PeerProgram("pyvips-once", slow=True),
    PeerProgram("daft", slow=True, lenient=True, scored=False, enlarges_to=1440),
    PeerProgram("img2dataset", slow=True, lenient=True, scored=False),
]
