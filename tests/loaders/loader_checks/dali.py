"""Each X.idx equals what NVIDIA DALI's own wds2idx makes of X.tar.

tests/python/setup.sh fetches that one file out of the DALI wheel: the wheel is 425 MB and its reader needs a GPU
machine's libraries.
"""

import sys
import tempfile
from pathlib import Path

from .version import Variant, expect

sys.path.append(str(Path(sys.prefix) / "dali"))


def check(variant: Variant) -> str:
    from wds2idx import IndexCreator

    for shard in variant.shards:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "made.idx"
            with IndexCreator(str(shard.path), str(made), verbose=False) as creator:
                creator.create_index()
            ours = shard.path.with_suffix(".idx").read_bytes()
            expect(ours == made.read_bytes(), f"{shard.path.stem}.idx is not what wds2idx makes of the tar")
    return f"{len(variant.shards)} indexes equal wds2idx's"
