"""The samples that are packed, and what is found in shards of them."""

import hashlib
import json
import random
import tarfile
from dataclasses import dataclass
from pathlib import Path

from random_files import sha256

JSON_BYTES = 200
EXTENSIONS = ("jpg", "json")

Members = dict[str, tuple[int, str]]
"""By shard and name: the place in the shard, and the SHA-256."""


@dataclass(frozen=True)
class Samples:
    """A folder of pairs `KEY.jpg`, `KEY.json`."""

    folder: Path
    keys: list[str]
    bytes: int

    @property
    def count(self) -> int:
        return len(self.keys)

    def members(self, shard_samples: int) -> Members:
        """What shards of so many samples must hold: by key, members of a sample side by side."""
        found = {}
        for number, key in enumerate(self.keys):
            shard, sample = divmod(number, shard_samples)
            for place, extension in enumerate(EXTENSIONS, sample * len(EXTENSIONS)):
                name = f"{key}.{extension}"
                found[f"shard-{shard:05}.tar/{name}"] = (place, sha256(self.folder / name))
        return found


def make(folder: Path, count: int, size: int) -> Samples:
    """Pictures are random bytes: whoever packs does not look at them."""
    folder.mkdir(parents=True)
    chance = random.Random(size)
    keys = [f"{number:08}" for number in range(count)]
    for key in keys:
        (folder / f"{key}.jpg").write_bytes(chance.randbytes(size))
        (folder / f"{key}.json").write_text(json_of(key))
    return Samples(folder, keys, count * (size + JSON_BYTES))


def json_of(key: str) -> str:
    start = json.dumps({"key": key, "caption": ""})
    return json.dumps({"key": key, "caption": "x" * (JSON_BYTES - len(start))})


def members(folder: Path) -> Members:
    found = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path, "r:") as tar:
            for place, member in enumerate(tar):
                content = tar.extractfile(member).read()
                found[f"{path.name}/{member.name}"] = (place, hashlib.sha256(content).hexdigest())
    return found
