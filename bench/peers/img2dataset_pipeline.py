"""img2dataset: a downloader that resizes. It makes one size a run, so three runs, over loopback HTTP."""

import os

# Asked for newer versions when it is imported, otherwise.
os.environ.update(NO_ALBUMENTATIONS_UPDATE="1", WANDB_MODE="disabled")

import importlib
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet

from peer import Failure, Job, Peer

# The module: the package has a function of the same name.
main = importlib.import_module("img2dataset.main")

# keep_ratio bounds the shorter side, so that upright pictures come out larger than ours; the last is 800x600
# for 4:3 alone. Orientations are not applied.
RUNS = {
    "1080p": {"image_size": 1080, "resize_mode": "keep_ratio", "resize_only_if_bigger": True},
    "720p": {"image_size": 720, "resize_mode": "keep_ratio", "resize_only_if_bigger": True},
    "800x600": {"image_size": 800, "resize_mode": "keep_ratio_largest", "resize_only_if_bigger": False},
}


def in_this_process(_processes, downloader, reader, *_):
    """Its distributor, less a process that imports everything once more: a favour for runs this short."""
    for shard in reader:
        downloader(shard)


class NoLogger:
    """Stands where a second such process would print speeds."""

    def __init__(self, *_):
        self.done_shards = set()

    def start(self): ...

    def join(self): ...


main.multiprocessing_distributor = in_this_process
main.LoggerProcess = NoLogger


class Img2dataset(Peer):
    distributions = ("img2dataset",)

    def __init__(self):
        self.address = ""

    @contextmanager
    def ready(self, job: Job):
        """A server for the files. It ends, and counts as a child, after the clock has stopped."""
        command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        with subprocess.Popen(command, cwd=folder_of(job), **pipes) as server:
            try:
                # "Serving HTTP on 127.0.0.1 port 41234 (http://127.0.0.1:41234/) ..."
                self.address = server.stdout.readline().split("(")[1].split(")")[0]
                yield
            finally:
                server.terminate()

    def run(self, job: Job) -> list[Failure]:
        urls = job.out / "urls.txt"
        urls.write_text("".join(f"{self.address}{quote(file.name)}\n" for file in job.files))
        for name, options in RUNS.items():
            main.download(
                str(urls), output_folder=str(job.out / name), output_format="files",
                encode_quality=job.quality, processes_count=1, thread_count=job.threads, **options,
            )
        return [failure for name in RUNS for failure in failures(job.out / name)]


def folder_of(job: Job) -> Path:
    (folder,) = {file.parent for file in job.files}  # one, as the driver lays them out
    return folder


def failures(folder: Path) -> list[Failure]:
    """Its report of a run lies beside the images."""
    table = pyarrow.parquet.read_table(next(folder.glob("*.parquet")), columns=["url", "error_message"])
    return [(row["url"], row["error_message"]) for row in table.to_pylist() if row["error_message"]]


PEERS = {"img2dataset": Img2dataset}
