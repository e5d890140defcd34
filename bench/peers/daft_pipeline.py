"""Daft: its own image functions in one query over all files.

They take one size for a whole column and have no fit mode, no JPEG quality (it is 75, and 4:4:4) and no EXIF
orientation. So it makes what fits a 4:3 original: comparable for cameras' pictures, but small originals are
enlarged, which is far more work than the others have.
"""

import os

os.environ.update(
    DAFT_ANALYTICS_ENABLED="0", DO_NOT_TRACK="true", SCARF_NO_ANALYTICS="true", DAFT_RUNNER="native",
    DAFT_PROGRESS_BAR="0",
)

import daft
from daft.functions import decode_image, download, encode_image, resize

from peer import Failure, Job, Peer

SIZES = {"1080p": (1440, 1080), "720p": (960, 720), "800x600": (800, 600)}


class Daft(Peer):
    distributions = ("daft",)

    def __init__(self):
        self.threads = None

    def run(self, job: Job) -> list[Failure]:
        if self.threads != job.threads:  # the runner can be chosen once
            daft.set_runner_native(num_threads=job.threads)
            self.threads = job.threads
        made = self.query([str(file) for file in job.files]).to_pydict()
        failures = []
        for row, file in enumerate(job.files):
            if made["1080p"][row] is None:
                failures.append((str(file), "daft cannot decode it"))
                continue
            for name in SIZES:
                (job.out / f"{file.stem}.{name}.jpg").write_bytes(made[name][row])
        return failures

    @staticmethod
    def query(paths: list[str]) -> daft.DataFrame:
        frame = daft.from_pydict({"path": paths})
        frame = frame.with_column("image", decode_image(download(daft.col("path")), on_error="null"))
        image = daft.col("image")
        return frame.select(
            *(encode_image(resize(image, w, h), "jpeg").alias(name) for name, (w, h) in SIZES.items())
        )


PEERS = {"daft": Daft}
