"""Where and when a measurement was made."""

import os
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VECTOR_FLAGS = ("sse4_2", "avx2", "avx512f", "avx512vbmi", "asimd", "sve")


def facts(imageml: Path | None = None, command: list[str] | None = None) -> dict:
    """What a reader needs to judge the numbers; the load at the end is added then."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": cpu_field("model name") or platform.machine(),
        "vector_flags": [flag for flag in VECTOR_FLAGS if flag in cpu_field("flags", "Features").split()],
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "rust": printed(["rustc", "--version"]).removeprefix("rustc ").partition(" ")[0],
        "imageml": printed([str(imageml), "--version"]) if imageml else "",
        "commit": printed(["git", "-C", str(ROOT), "describe", "--always", "--exclude", "*", "--dirty"]),
        "command": shown(command or sys.argv),
        "load_average_at_start": load(),
    }


def shown(command: list[str]) -> str:
    """As it would be typed in the project's folder, with the usual folder for what is built."""
    words = shlex.join(command).replace(f"{ROOT}/", "").replace(f"{ROOT.parent}/", "../")
    built = os.environ.get("CARGO_TARGET_DIR")
    return words.replace(built, "target") if built else words


def load() -> list[float]:
    """Over 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def cpu_field(*names: str) -> str:
    """Of the first core; empty where the kernel does not say."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in names:
            return value.strip()
    return ""


def printed(command: list[str]) -> str:
    """Its output, or nothing: a fact that is missing ends no measurement."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
