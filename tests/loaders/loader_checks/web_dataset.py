"""webdataset iterates every shard; Pillow decodes every image."""

import json

import webdataset

from .version import Sample, Variant, decoded_size, expect


def check(variant: Variant) -> str:
    counts = []
    for split in variant.splits():
        shards = variant.of_split(split)
        urls = [str(shard.path) for shard in shards]
        read = []
        for raw in webdataset.WebDataset(urls, shardshuffle=False):
            members = {name: data for name, data in raw.items() if not name.startswith("__")}
            sample = Sample(raw["__key__"], members)
            check_content(sample)
            read.append(sample)
        written = [sample for shard in shards for sample in variant.samples(shard)]
        expect(read == written, f"{split}: webdataset reads other samples than tarfile")
        counts.append(f"{split} {len(read)}")
    return f"{', '.join(counts)} samples decoded"


def check_content(sample: Sample) -> None:
    facts = json.loads(sample.members["json"])
    _, image = sample.image()
    size = decoded_size(image)
    said = (facts["width"], facts["height"])
    expect(size == said, f"sample {sample.key} decodes to {size}, its json says {said}")
