"""The pictures that are measured on, laid out so that every candidate reads the same files."""

import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path

from inputs import BadInput
from outputs import pictures
from peers.jpeg_header import JpegHeader, NotJpeg, read_header


@dataclass(frozen=True)
class ImageSet:
    """A folder of JPEG files, all of them `STEM.jpg`."""

    name: str
    folder: Path
    headers: dict[Path, JpegHeader]
    part_of: str | None = None

    @property
    def files(self) -> list[Path]:
        return list(self.headers)

    def count(self, progressive: bool) -> int:
        return sum(header.progressive == progressive for header in self.headers.values())

    def median_width(self) -> float:
        return statistics.median(header.upright[0] for header in self.headers.values())

    def facts(self) -> dict:
        return {
            "name": self.name,
            "part_of": self.part_of,
            "images": len(self.files),
            "bytes": sum(file.stat().st_size for file in self.files),
            "megapixels": sum(header.width * header.height for header in self.headers.values()) / 1e6,
            "baseline": self.count(progressive=False),
            "progressive": self.count(progressive=True),
        }


def stage(source: Path, folder: Path, limit: int | None) -> ImageSet:
    """Copies a folder's pictures into memory: no candidate waits for a disk, and other files stay behind."""
    originals = pictures(source)[:limit]
    if not originals:
        raise BadInput(f"no JPEG files in {source}")
    return lay_out(set_name(source), originals, folder)


def set_name(source: Path) -> str:
    """The folder's name, or that of what it is the images of."""
    source = source.resolve()
    return source.parent.name if source.name == "images" else source.name


def lay_out(name: str, originals: list[Path], folder: Path, part_of: str | None = None) -> ImageSet:
    folder.mkdir(parents=True)
    headers = {}
    for original in originals:
        copy = folder / f"{original.stem}.jpg"
        if copy.exists():
            raise BadInput(f"two files are called {original.stem} in {original.parent}")
        shutil.copyfile(original, copy)
        try:
            headers[copy] = read_header(copy.read_bytes())
        except NotJpeg as error:
            raise BadInput(f"{original}: {error}") from error
    return ImageSet(name, folder, headers, part_of)


def by_coding(whole: ImageSet, folder: Path) -> list[ImageSet]:
    """Its baseline and its progressive files apart: decoding the two costs very different amounts."""
    parts = []
    for coding, progressive in (("baseline", False), ("progressive", True)):
        files = [file for file, header in whole.headers.items() if header.progressive == progressive]
        if files:
            parts.append(lay_out(f"{whole.name} ({coding})", files, folder / coding, part_of=whole.name))
    return parts
