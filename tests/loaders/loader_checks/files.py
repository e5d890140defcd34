"""The folder holds what the manifest lists, whole, and nothing else."""

import hashlib
from pathlib import Path

from .version import Variant, expect


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(variant: Variant) -> str:
    expect(bool(variant.shards), "the manifest lists no shard")
    for shard in variant.shards:
        expect(shard.path.stat().st_size == shard.bytes, f"{shard.path.name} is not {shard.bytes} bytes")
        expect(digest(shard.path) == shard.sha256, f"{shard.path.name} has another sha256")
        expect(shard.path.name.startswith(f"{shard.split}-"), f"{shard.path.name} is not of {shard.split}")
    for key, sha256 in (variant.files | variant.shared_files).items():
        expect(digest(variant.version_root / key) == sha256, f"{key} has another sha256")

    listed = {shard.path.relative_to(variant.version_root).as_posix() for shard in variant.shards}
    listed |= variant.files.keys()
    found = {
        path.relative_to(variant.version_root).as_posix()
        for path in variant.root.rglob("*")
        if path.is_file()
    }
    expect(found == listed, f"not in both the folder and the manifest: {sorted(found ^ listed)}")

    keys = [sample.key for shard in variant.shards for sample in variant.samples(shard)]
    expect(len(keys) == len(set(keys)), "a key is there twice")
    for shard in variant.shards:
        count = len(variant.samples(shard))
        expect(count == shard.samples > 0, f"{shard.path.name} has {count} samples, not {shard.samples}")
    return f"{len(variant.shards)} shards, {len(variant.files)} other files, {len(variant.shared_files)} of the version, {len(keys)} samples"
