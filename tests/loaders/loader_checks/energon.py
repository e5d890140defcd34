"""Energon: `energon prepare` on a copy writes what we wrote, and its reader finds every sample by our indexes."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import torch_stand_in
from .version import SPLITS, Sample, Variant, expect

META_FILES = [".info.json", "split.yaml", "dataset.yaml"]


def check(variant: Variant) -> str:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for shard in variant.shards:
            shutil.copyfile(shard.path, copy / shard.path.name)
        prepare(copy)
        for shard in variant.shards:
            compare(f"{shard.path.name}.idx", variant.root, copy)
        for name in META_FILES:
            compare(f".nv-meta/{name}", variant.root, copy)
    return f"{len(variant.shards)} indexes and {len(META_FILES)} documents equal prepare's, {read(variant)} samples read"


def prepare(folder: Path) -> None:
    command = [sys.executable, "-m", "loader_checks.energon_prepare", str(folder)]
    command += ["--non-interactive", "--no-progress", "--num-workers", "2", "--sample-type", "CrudeWebdataset"]
    for split in SPLITS:
        command += ["--split-parts", f"{split}:{split}-.*"]
    run = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, timeout=300)
    expect(run.returncode == 0, f"energon prepare failed: {run.stdout}{run.stderr}")


def compare(name: str, ours: Path, theirs: Path) -> None:
    we, they = (ours / name).read_bytes(), (theirs / name).read_bytes()
    expect(we == they, f"{name} is {shorten(we)}, energon prepare writes {shorten(they)}")


def shorten(data: bytes) -> str:
    return repr(data if len(data) <= 400 else data[:400] + b"...")


def read(variant: Variant) -> int:
    torch_stand_in.install()
    from megatron.energon.epathlib import EPath
    from megatron.energon.flavors.webdataset.itar_reader import ShardInfosITarReader
    from megatron.energon.flavors.webdataset.metadata import get_dataset_info
    from megatron.energon.flavors.webdataset.structs import ShardInfo

    root = EPath(variant.root)
    counts = get_dataset_info(root)["shard_counts"]
    infos = [ShardInfo(name=name, path=root / name, count=count) for name, count in counts.items()]
    reader = ShardInfosITarReader(root, infos)
    samples = []
    for number in range(len(reader)):
        raw = reader[number]
        members = {name: data for name, data in raw.items() if not name.startswith("__")}
        # Energon's key is `<shard>/<key>`.
        samples.append(Sample(raw["__key__"].rsplit("/", 1)[-1], members))
    reader.close()
    by_name = sorted(variant.shards, key=lambda shard: shard.path.name)
    written = [sample for shard in by_name for sample in variant.samples(shard)]
    expect(samples == written, "energon reads other samples than tarfile")
    return len(samples)
