"""samples.parquet, as Arrow reads it, describes every sample of the tars."""

import hashlib

import pyarrow.parquet

from .version import Variant, decoded_size, expect


def check(variant: Variant) -> str:
    table = variant.version_root / "samples.parquet"
    rows = pyarrow.parquet.read_table(table, filters=[("variant", "==", variant.name)]).to_pylist()
    by_place = {(row["shard"], row["index"]): row for row in rows}
    expect(len(by_place) == len(rows), "two rows are of one place")
    splits = {}
    total = 0
    for shard in variant.shards:
        with shard.path.open("rb") as tar:
            for number, sample in enumerate(variant.samples(shard)):
                row = by_place.get((shard.path.name, number))
                where = f"{shard.path.name} sample {number}"
                expect(row is not None, f"{where} has no row")
                expect((row["key"], row["split"]) == (sample.key, shard.split), f"{where} has another row")
                extension, image = sample.image()
                tar.seek(row["image_offset"])
                expect(tar.read(row["image_bytes"]) == image, f"{where}: the image is not at its offset")
                tar.seek(row["offset"])
                expect(tar.read(32) == sample.key.encode(), f"{where}: no header at its offset")
                expect(hashlib.sha256(image).hexdigest() == row["variant_sha256"], f"{where}: sha256")
                expect(decoded_size(image) == (row["width"], row["height"]), f"{where}: size")
                expect(splits.setdefault(row["group"], shard.split) == shard.split, f"{where}: a group in two splits")
                total += 1
    expect(total == len(rows), f"{len(rows)} rows for {total} samples")
    return f"{total} rows, {len(splits)} groups"
