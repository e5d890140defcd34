"""`python -m label_studio_worker [--once]`."""

import sys
import tempfile

from . import conversion, isolation
from .server import serve


def main(arguments):
    """Returns the exit code: 1 where the one request of `--once` was not served."""
    if arguments not in ([], ["--once"]):
        print("usage: python -m label_studio_worker [--once]", file=sys.stderr)
        return 2
    isolation.ensure_environment()
    requests, answers = isolation.claim_streams()
    with tempfile.TemporaryDirectory(prefix="label-studio-") as folder:
        isolation.shut_in(folder)
        conversion.load()
        served = serve(requests, answers, once=bool(arguments))
        isolation.leave(folder)
    return 0 if served or not arguments else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
