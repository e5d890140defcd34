"""Runs a program and says what it took, with everything that it started.

`process.py COMMAND...` says it as JSON.
"""

import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
# Of one core: to look takes CPU time that the program could have had.
SAMPLING_TAKES_AT_MOST = 0.01
ORPHANS_END_WITHIN_S = 10
VM_HWM = re.compile(rb"^VmHWM:\s*(\d+) kB", re.MULTILINE)


class ProcessFailed(Exception):
    """A program ended with something other than 0, or left processes behind."""


@dataclass(frozen=True)
class Finished:
    """CPU is user and system time; memory is that of all processes together."""

    stdout: str
    cpu_s: float
    wall_s: float
    peak_rss_bytes: int


def run(command: list[str]) -> Finished:
    """Start-up counts, and so do children, waited for or not."""
    adopt_orphans()
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        try:
            with PeakMemory(process.pid) as memory:
                _, status, usage = os.wait4(process.pid, 0)
                wall = time.monotonic() - begun
        except BaseException:
            process.kill()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime + orphans_cpu(command)
        if process.returncode != 0:
            said = text(stderr)[-2000:]
            raise ProcessFailed(f"{shown(command)} ended with {process.returncode}:\n{said}")
        return Finished(text(stdout), cpu, wall, memory.peak)


def run_apart(command: list[str], env: dict[str, str]) -> Finished:
    """From a process of its own, for callers with children that stay, as servers do: `run` waits for all."""
    runner = [sys.executable, __file__, *command]
    done = subprocess.run(runner, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProcessFailed(done.stderr.strip())
    return Finished(**json.loads(done.stdout))


def shown(command: list[str]) -> str:
    """Without the hundreds of files at its end."""
    words = " ".join(map(str, command))
    return words if len(words) < 300 else words[:300] + " …"


def text(file) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def adopt_orphans() -> None:
    """Else a child whose parent does not wait for it goes to init, and its CPU time is nobody's."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def orphans_cpu(command: list[str]) -> float:
    spent, deadline = 0.0, time.monotonic() + ORPHANS_END_WITHIN_S
    while True:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return spent
        if pid:
            spent += usage.ru_utime + usage.ru_stime
        elif time.monotonic() > deadline:
            raise ProcessFailed(f"{shown(command)} left processes behind")
        else:
            time.sleep(0.01)


class PeakMemory(threading.Thread):
    """The highest sum of the high-water marks of a process and its descendants.

    rusage knows only the largest of them, and of that one also what its parent had before exec. The kernel
    keeps the marks, so a sample every now and then misses nothing but what is gone before it is seen.
    """

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid = pid
        self.peak = 0
        self.over = threading.Event()

    def __enter__(self) -> "PeakMemory":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.over.set()
        self.join()

    def run(self) -> None:
        took = 0.0
        while not self.over.wait(took / SAMPLING_TAKES_AT_MOST):
            begun = time.thread_time()
            self.peak = max(self.peak, sum(map(high_water, family(self.pid))))
            took = time.thread_time() - begun


def family(pid: int) -> Iterator[int]:
    """The process and its descendants."""
    yield pid
    for task in threads(pid):
        try:
            children = Path(f"/proc/{pid}/task/{task}/children").read_bytes()
        except OSError:
            continue
        for child in children.split():
            yield from family(int(child))


def threads(pid: int) -> list[str]:
    """None once it is gone."""
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def high_water(pid: int) -> int:
    """Bytes; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return 0
    found = VM_HWM.search(status)
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    try:
        print(json.dumps(asdict(run(sys.argv[1:]))))
    except ProcessFailed as failure:
        sys.exit(str(failure))
