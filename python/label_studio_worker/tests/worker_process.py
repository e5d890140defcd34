"""The worker as another program sees it."""

import json
import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
PYTHON = os.environ.get("LABEL_STUDIO_PYTHON", str(PACKAGE.parents[1] / ".venv-label-studio/bin/python"))


def command(*arguments, code=None):
    """The command line that runs the worker, or `code` in its place."""
    what = ["-c", code] if code else ["-m", "label_studio_worker"]
    return [PYTHON, "-B", "-P", "-s", *what, *arguments]


def environment(**more):
    return {"PYTHONPATH": str(PACKAGE.parent), "PATH": os.defpath, **more}


def run(*requests, arguments=(), **more):
    """(answers, exit code, standard error) of a worker that is given these requests, as documents or as bytes."""
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in requests]
    done = subprocess.run(
        command(*arguments),
        input=b"".join(line + b"\n" for line in lines),
        capture_output=True,
        env=environment(**more),
        timeout=120,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return answers, done.returncode, done.stderr.decode(errors="replace")


def run_code(code):
    """Runs Python code in the worker's environment; returns what it prints on standard error."""
    done = subprocess.run(
        command(code=code), stdin=subprocess.DEVNULL, capture_output=True, env=environment(), timeout=120
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert done.stdout == b""
    return done.stderr.decode(errors="replace")


assert Path(PYTHON).exists(), f"{PYTHON} is missing: run `make setup-python`"
assert sys.version_info >= (3, 11)
