"""What keeps the SDK from the rest of the world: its environment, its output, the network, other programs."""

import logging
import os
import sys

# Settled before Python starts: the SDK takes "the first" element of sets, and opens files without an encoding.
FIXED = {"LC_ALL": "C.UTF-8", "PYTHONCOERCECLOCALE": "0", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
# Where Python, its libraries and temporary files are. LABEL_STUDIO_URL, …_HOST, …_API_KEY and …_ACCESS_TOKEN would
# make the SDK download images; proxies and credentials are none of its business.
KEPT = ("LD_LIBRARY_PATH", "OPENBLAS_NUM_THREADS", "PATH", "PYTHONPATH", "TMPDIR")
# Raised as PermissionError by the audit hook: everything that reaches out of the process.
FORBIDDEN = (
    "ftplib.",
    "http.client.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
    "smtplib.",
    "socket.",
    "subprocess.",
    "urllib.",
)


def scrubbed(environment):
    """What remains of an environment."""
    kept = {name: environment[name] for name in KEPT if name in environment}
    return {**kept, **FIXED}


def ensure_environment():
    """Starts this program again where its environment holds more than it needs, or lacks what must be fixed."""
    wanted = scrubbed(os.environ)
    if dict(os.environ) != wanted:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)


def claim_streams():
    """Takes standard input and output for the protocol: whatever prints, prints to standard error from here on, and
    whatever reads, reads nothing. Returns (requests, answers) as binary files."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, answers


def shut_in(folder):
    """Makes `folder` the working and home directory, and refuses sockets and other programs for good."""
    os.chdir(folder)
    os.environ["HOME"] = folder
    # For each image, the SDK logs that it could not be read, with a traceback.
    logging.disable(logging.INFO)
    # It cannot be removed again.
    sys.addaudithook(_refuse)


def leave(folder):
    """Leaves `folder`, which is about to be removed."""
    os.chdir(os.path.dirname(folder))


def _refuse(event, _arguments):
    if event.startswith(FORBIDDEN):
        raise PermissionError(f"the worker refuses {event}")
