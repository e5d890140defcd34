"""The S3 server of crates/object-storage/examples/transfer.rs, as a process beside what is measured."""

import os
import subprocess
from pathlib import Path

BUCKET = "bench"
ENDS_WITHIN_S = 20
# Of /proc/PID/stat, counted from what follows the program's name.
UTIME, STIME = 11, 12


class ServerFailed(Exception):
    """The server did not start, or ended."""


class S3Server:
    """One bucket in a folder. A server whose parent is gone ends too: its standard input does."""

    def __init__(self, transfer: Path, folder: Path):
        self.command = [transfer, "serve", folder]

    def __enter__(self) -> "S3Server":
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, text=True)
        said = [self.process.stdout.readline().strip() for _ in range(3)]
        if not all(said):
            self.__exit__()
            raise ServerFailed(f"{self.command[0]} serve printed no endpoint and keys")
        self.endpoint, self.access_key, self.secret_key = said
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def environment(self) -> dict[str, str]:
        """For a client, with nothing of what the user has set for another store."""
        others = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3_"))}
        return others | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def cpu_s(self) -> float:
        """User and system, of all its threads, in steps of the clock's tick (10 ms)."""
        if self.process.poll() is not None:
            raise ServerFailed(f"the S3 server ended with {self.process.returncode}")
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[UTIME]) + int(fields[STIME])) / os.sysconf("SC_CLK_TCK")
