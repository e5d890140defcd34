"""wids opens each split by its JSON and reads every sample by number."""

import contextlib
import io
import sys
import tempfile
from pathlib import Path

from . import torch_stand_in
from .version import Sample, Variant, expect

# The package left webdataset after 0.2.100, so tests/python/setup.sh puts that wheel here, behind everything else.
WIDS = Path(sys.prefix) / "wids"


def load_wids():
    torch_stand_in.install()
    if str(WIDS) not in sys.path:
        sys.path.append(str(WIDS))
    from wids import wids

    return wids


def check(variant: Variant) -> str:
    wids = load_wids()
    counts = []
    for split in variant.splits():
        shards = variant.of_split(split)
        with tempfile.TemporaryDirectory() as cache, contextlib.redirect_stderr(io.StringIO()):
            index = variant.root / f"{split}.wids.json"
            dataset = wids.ShardListDataset(str(index), cache_dir=cache, transformations=[])
            read = [plain(dataset[number]) for number in range(len(dataset))]
            dataset.close()
            for entry, shard in zip(dataset.shards, shards, strict=True):
                expect(entry["filesize"] == shard.bytes, f"{entry['url']}: filesize")
                expect(entry["nsamples"] == shard.samples, f"{entry['url']}: nsamples")
        written = [sample for shard in shards for sample in variant.samples(shard)]
        expect(read == written, f"{split}: wids reads other samples than tarfile")
        counts.append(f"{split} {len(read)}")
    return f"{', '.join(counts)} samples by number"


def plain(raw: dict) -> Sample:
    members = {}
    for name, data in raw.items():
        if not name.startswith("__"):
            # wids keeps the dot, and gives views into its map of the file.
            content = data.getvalue() if isinstance(data, io.BytesIO) else data
            members[name.removeprefix(".")] = bytes(content)
    return Sample(raw["__key__"], members)
