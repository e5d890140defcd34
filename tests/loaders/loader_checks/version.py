"""A published version as its manifest describes it, and the samples as Python's tarfile reads them."""

import io
import json
import re
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

SPLITS = ["train", "val", "test"]
IMAGE_EXTENSIONS = {"jpg", "png", "webp"}


class CheckFailed(Exception):
    """What was read is not what was published."""


def expect(condition: bool, message: str) -> None:
    if not condition:
        raise CheckFailed(message)


@dataclass(frozen=True)
class Sample:
    key: str
    members: dict[str, bytes]

    def image(self) -> tuple[str, bytes]:
        images = [(ext, data) for ext, data in self.members.items() if ext in IMAGE_EXTENSIONS]
        expect(len(images) == 1, f"sample {self.key} has {len(images)} images")
        return images[0]


@dataclass(frozen=True)
class Shard:
    path: Path
    split: str
    samples: int
    bytes: int
    sha256: str


@dataclass
class Variant:
    name: str
    root: Path
    version_root: Path
    shards: list[Shard]
    files: dict[str, str]
    """Digest by path relative to the version, for what is in this variant's folder."""
    shared_files: dict[str, str]
    """The same for what belongs to no variant."""
    _samples: dict[str, list[Sample]] = field(default_factory=dict)

    def splits(self) -> list[str]:
        return [split for split in SPLITS if any(shard.split == split for shard in self.shards)]

    def of_split(self, split: str) -> list[Shard]:
        return [shard for shard in self.shards if shard.split == split]

    def samples(self, shard: Shard) -> list[Sample]:
        """The shard's samples as tarfile reads them, which knows nothing of any loader."""
        if shard.path.name not in self._samples:
            self._samples[shard.path.name] = read_tar(shard.path)
        return self._samples[shard.path.name]


def read_tar(path: Path) -> list[Sample]:
    samples: list[Sample] = []
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            where = f"{path.name}: {member.name}"
            expect(member.isreg(), f"{where} is not a plain file")
            facts = (member.mtime, member.uid, member.gid, member.mode, member.uname, member.gname)
            expect(facts == (0, 0, 0, 0o644, "", ""), f"{where} has {facts}")
            expect(len(member.name) <= 100 and not member.pax_headers, f"{where} is not plain USTAR")
            match = re.fullmatch(r"([0-9a-f]{32})\.([a-z0-9.]+)", member.name)
            expect(match is not None, f"{where} is not KEY.EXTENSION")
            key, extension = match.groups()
            if not samples or samples[-1].key != key:
                samples.append(Sample(key, {}))
            expect(extension not in samples[-1].members, f"{where} is there twice")
            samples[-1].members[extension] = tar.extractfile(member).read()
    for sample in samples:
        expect(list(sample.members) == sorted(sample.members), f"{path.name}: {sample.key} is not sorted")
    return samples


def decoded_size(data: bytes) -> tuple[int, int]:
    """Decodes every pixel and returns (width, height)."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        image.load()
        expect(image.getexif().get(0x0112) in (None, 1), "the image carries an orientation tag")
        return image.size


def load_version(root: Path, wanted: list[str] | None) -> list[Variant]:
    manifest = json.loads((root / "manifest.json").read_text())
    folders = tuple(f"{name}/" for name in manifest["variants"])
    shared = {key: digest for key, digest in manifest["files"].items() if not key.startswith(folders)}
    variants = []
    for name in wanted or sorted(manifest["variants"]):
        if name not in manifest["variants"]:
            raise ValueError(f"manifest.json has no variant {name!r}")
        shards = [
            Shard(
                path=root / name / entry["uri"].rsplit("/", 1)[1],
                split=entry["split"],
                samples=entry["samples"],
                bytes=entry["bytes"],
                sha256=entry["sha256"],
            )
            for entry in manifest["shards"]
            if entry["variant"] == name
        ]
        files = {key: digest for key, digest in manifest["files"].items() if key.startswith(f"{name}/")}
        variants.append(Variant(name, root / name, root, shards, files, shared))
    return variants
